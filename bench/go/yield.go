package main

import "runtime"

func init() { measures["yield"] = yield }

func yields() {
	runtime.Gosched()
	runtime.Gosched()
	begun()
	for turn() {
		runtime.Gosched()
	}
	done(map[string]float64{"ns": each()})
}

func yield() {
	for i := 0; i < size; i++ {
		go yields()
	}
}
