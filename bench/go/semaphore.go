package main

import "runtime"

func init() { measures["semaphore"] = semaphore }

// The usual semaphore of Go programs: a channel with room for as many as there are units.
var units chan struct{}

func takesUnits() {
	runtime.Gosched()
	begun()
	if size == 1 {
		for turn() {
			units <- struct{}{}
			<-units
		}
	} else {
		for turn() {
			units <- struct{}{}
			runtime.Gosched()
			<-units
			runtime.Gosched()
		}
	}
	done(map[string]float64{"ns": each()})
}

func semaphore() {
	room := 2
	if size == 1 {
		room = 1
	}
	units = make(chan struct{}, room)
	for i := 0; i < size; i++ {
		go takesUnits()
	}
}
