package main

import (
	"fmt"
	"net"
	"net/http"
)

func init() { measures["files"] = files }

// files serves those of the folder KIND over HTTP.
func files() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	must(http.Serve(listener, http.FileServer(http.Dir(kind))))
}
