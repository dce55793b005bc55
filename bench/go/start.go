package main

import "os"

func init() { measures["start"] = func() { go os.Exit(0) } }
