package main

import (
	"fmt"
	"net"
)

func init() { measures["echo"] = echo }

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	for {
		received, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:received]); err != nil {
			return
		}
	}
}

func echo() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	must(err)
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		must(err)
		go serve(connection)
	}
}
