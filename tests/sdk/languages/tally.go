// SPDX-License-Identifier: MIT
//
// A hook in Go: it says in a header how many answers went before, and refuses
// objects that begin with "MZ".  The descriptor is in tally.c, as Go has no
// constants with pointers to functions in them.
package main

/*
#cgo pkg-config: sluice
#include <stdlib.h>
#include <sluice/plugin.h>
*/
import "C"

import (
	"bytes"
	"strconv"
	"sync/atomic"
	"unsafe"
)

var answers int64

//export tallyOnResponse
func tallyOnResponse(handle unsafe.Pointer, request *C.struct_sluice_request) {
	before := atomic.AddInt64(&answers, 1) - 1
	name := C.CString("X-Before")
	value := C.CString(strconv.FormatInt(before, 10))
	C.sluice_request_answer(request, name, value)
	C.free(unsafe.Pointer(name))
	C.free(unsafe.Pointer(value))
}

//export tallyOnBody
func tallyOnBody(handle unsafe.Pointer, request *C.struct_sluice_request,
	chunk *C.struct_sluice_chunk) C.enum_sluice_verdict {
	if chunk.length < 2 {
		return C.SLUICE_PASS
	}
	begin := C.GoBytes(chunk.data, 2)
	if !bytes.Equal(begin, []byte("MZ")) {
		return C.SLUICE_ALLOW // it has seen enough
	}
	why := C.CString("Programs aren't taken")
	C.sluice_request_refuse(request, C.SLUICE_EDENIED, why)
	// The handle is the host, as tally.c opens it.
	C.sluice_log_text((*C.struct_sluice_host)(handle), C.SLUICE_LOG_INFO, why)
	C.free(unsafe.Pointer(why))
	return C.SLUICE_DENY
}

func main() {}
