package main

import (
	"runtime"
	"sync"
)

func init() { measures["lock"] = lock }

var mutex sync.Mutex

func takes() {
	runtime.Gosched()
	begun()
	if size == 1 {
		for turn() {
			mutex.Lock()
			mutex.Unlock()
		}
	} else {
		for turn() {
			mutex.Lock()
			runtime.Gosched()
			mutex.Unlock()
			runtime.Gosched()
		}
	}
	done(map[string]float64{"ns": each()})
}

func lock() {
	for i := 0; i < size; i++ {
		go takes()
	}
}
