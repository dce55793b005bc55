package main

import (
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"sort"
	"syscall"
	"time"
	"unsafe"
)

func init() { measures["yield_idle"] = yieldIdle }

var (
	waiting int
	late    []float64 // us
	ticker  *os.File
)

// monotonic is the clock of the ticker, in ns.
func monotonic() float64 {
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0)
	return float64(now.Sec)*1e9 + float64(now.Nsec)
}

func watches() {
	message := make([]byte, 8)
	waiting++
	for len(late) < size {
		if _, err := ticker.Read(message); err != nil {
			must(err)
		}
		sent := math.Float64frombits(binary.LittleEndian.Uint64(message))
		late = append(late, (monotonic()-sent)/1e3)
	}
}

func yieldsBeside(first bool) {
	for waiting < 2 {
		runtime.Gosched()
	}
	begun()
	for turn() {
		runtime.Gosched()
	}
	if !first {
		for {
			runtime.Gosched()
		}
	}
	result := map[string]float64{"ns": each()}
	if _, err := ticker.Write([]byte{0}); err != nil {
		must(err)
	}
	for len(late) < size {
		runtime.Gosched()
	}
	sort.Float64s(late)
	result["late_us"] = late[size/2]
	result["late_us_p99"] = late[size*99/100]
	result["late_us_max"] = late[size-1]
	done(result)
}

func yieldIdle() {
	must(syscall.SetNonblock(0, true))
	ticker = os.NewFile(0, "ticker")
	go func() {
		waiting++
		time.Sleep(time.Hour)
	}()
	go watches()
	go yieldsBeside(true)
	go yieldsBeside(false)
}
