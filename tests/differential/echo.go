// SPDX-License-Identifier: MIT

// An origin on net/http: each request that reaches its handler is a line of
// JSON in the file of its first argument; the second is where it listens.
package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

type line struct {
	Client string `json:"client"`
	Method string `json:"method"`
	Target string `json:"target"`
	Length int    `json:"length"`
	MD5    string `json:"md5"`
	State  string `json:"state"`
}

var (
	lock sync.Mutex
	file *os.File
)

func tell(it line) {
	text, _ := json.Marshal(it)
	lock.Lock()
	defer lock.Unlock()
	file.Write(append(text, '\n'))
}

func handle(w http.ResponseWriter, r *http.Request) {
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	data, err := io.ReadAll(r.Body)
	state := "whole"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		state = "cut"
	} else if err != nil {
		state = "refused"
	}
	sum := md5.Sum(data)
	tell(line{client, r.Method, r.RequestURI, len(data),
		hex.EncodeToString(sum[:]), state})
	if state == "refused" {
		w.Header().Set("Connection", "close")
		w.WriteHeader(400)
	}
}

func main() {
	var err error
	file, err = os.Create(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.SetOutput(io.Discard)
	server := http.Server{Addr: os.Args[2],
		Handler: http.HandlerFunc(handle), ReadTimeout: 20 * time.Second,
		DisableGeneralOptionsHandler: true}
	server.ListenAndServe()
}
