package main

import "runtime"

func init() { measures["create"] = create }

func createOne(ran *int) {
	before := *ran
	go func() { *ran++ }()
	for {
		runtime.Gosched()
		if *ran != before {
			return
		}
	}
}

func create() {
	go func() {
		ran := new(int)
		for i := 0; i < 100; i++ {
			createOne(ran)
		}
		begun()
		for turn() {
			createOne(ran)
		}
		done(map[string]float64{"ns": each()})
	}()
}
