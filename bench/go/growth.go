package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

func init() { measures["growth"] = growth }

var settled int

func startWatches() {
	limit := syscall.Rlimit{Cur: uint64(size + 100), Max: uint64(size + 100)}
	must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	ends := make([]int, 2)
	must(syscall.Pipe(ends))
	must(syscall.SetNonblock(ends[0], true))
	for i := 0; i < size; i++ {
		fd, err := syscall.Dup(ends[0])
		must(err)
		go func() {
			file := os.NewFile(uintptr(fd), "pipe")
			settled++
			_, err := file.Read(make([]byte, 1))
			must(err)
		}()
	}
}

func growth() {
	never := make(chan struct{})
	if kind == "descriptors" {
		startWatches()
	} else {
		for i := 0; i < size; i++ {
			go func() {
				settled++
				if kind == "timers" {
					time.Sleep(time.Hour)
				}
				<-never
			}()
		}
	}
	for i := 0; i < 2; i++ {
		go func() {
			for settled < size {
				runtime.Gosched()
			}
			for i := 0; i < 1000; i++ {
				runtime.Gosched()
			}
			begun()
			for turn() {
				runtime.Gosched()
			}
			done(map[string]float64{"ns": each()})
		}()
	}
	select {}
}
