package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"time"
)

func init() { measures["sleepers"] = sleepers }

var (
	began, awake int
	tooShort     float64
	lateBy       []float32 // us
)

// memoryInUse is what the process has resident, with its page tables.
func memoryInUse() float64 {
	text, err := os.ReadFile("/proc/self/status")
	must(err)
	var sum float64
	for _, line := range strings.Split(string(text), "\n") {
		var kilobytes float64
		for _, format := range []string{"VmRSS: %f kB", "VmPTE: %f kB"} {
			if n, _ := fmt.Sscanf(line, format, &kilobytes); n == 1 {
				sum += kilobytes * 1024
			}
		}
	}
	return sum
}

func sleeps(milliseconds int) {
	due := time.Now().Add(time.Duration(milliseconds) * time.Millisecond)
	began++
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	difference := float64(time.Since(due).Nanoseconds()) / 1e3
	if -difference > tooShort {
		tooShort = -difference
	}
	lateBy[awake] = float32(difference)
	awake++
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func sleepers() {
	lateBy = make([]float32, size)
	for i := range lateBy {
		lateBy[i] = 1
	}
	random := uint32(2463534242)
	empty := memoryInUse()
	for i := 0; i < size; i++ {
		random ^= random << 13
		random ^= random >> 17
		random ^= random << 5
		go sleeps(int(1 + random%1000))
	}
	for began < size {
		runtime.Gosched()
	}
	asleep := memoryInUse()
	for awake < size {
		time.Sleep(time.Millisecond)
	}
	cpu := cpuSeconds()
	sort.Slice(lateBy, func(i, j int) bool { return lateBy[i] < lateBy[j] })
	done(map[string]float64{
		"cpu_s": cpu, "bytes": (asleep - empty) / float64(size), "early_us": tooShort,
		"late_us": float64(lateBy[size/2]), "late_us_max": float64(lateBy[size-1])})
}
