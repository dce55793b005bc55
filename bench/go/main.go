// The side of Go: goroutines on one P. Each other file is one of the measures of ../measures, whose
// first comment says what it does.
//
//	bench MEASURE SIZE COUNT [KIND]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

var measures = map[string]func(){}

var (
	size, count, left int
	kind              string
	begin             time.Time
)

// begun starts the clock, unless it runs already.
func begun() {
	if begin.IsZero() {
		begin = time.Now()
	}
}

// turn says whether another operation is to be done. There is one P: no two goroutines are in it
// at the same time.
func turn() bool {
	if left > 0 {
		left--
		return true
	}
	return false
}

// each is the time of one operation in ns.
func each() float64 {
	return float64(time.Since(begin).Nanoseconds()) / float64(count)
}

// done prints the result and ends the program, whatever goroutines there are.
func done(result map[string]float64) {
	line, err := json.Marshal(result)
	must(err)
	fmt.Println(string(line))
	os.Exit(0)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}

func main() {
	runtime.GOMAXPROCS(1)
	measure, known := measures[os.Args[1]]
	if !known {
		must(fmt.Errorf("no such measure: %s", os.Args[1]))
	}
	if len(os.Args) > 3 {
		size, count = number(os.Args[2]), number(os.Args[3])
		left = count
	}
	if len(os.Args) > 4 {
		kind = os.Args[4]
	}
	measure()
	select {}
}
