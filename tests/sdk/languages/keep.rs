// SPDX-License-Identifier: MIT
//
// A backend in Rust: it stands on another one, and removes nothing whose key
// begins with keep/.  The structs are those of <sluice/plugin.h>, in order; the
// fields behind the last one that is used may be left out, as `size` says how
// many there are.
use std::ffi::{c_char, c_int, c_void, CStr};
use std::mem::{offset_of, size_of};
use std::ptr::null;

const ABI: u32 = 1 << 16 | 1;
const BACKEND_NAME: c_int = 7;
const DENIED: c_int = 3;

type Op = c_void;
type Ask = c_void;
type Entry = Option<unsafe extern "C" fn()>; // one that this layer lacks

#[repr(C)]
struct SluiceOption {
    name: *const c_char,
    kind: c_int,
    fallback: *const c_char,
    offset: usize,
    help: *const c_char,
}

#[repr(C)]
struct Backend {
    abi: u32,
    size: u32,
    name: *const c_char,
    version: *const c_char,
    summary: *const c_char,
    options: *const SluiceOption,
    conf_size: usize,
    start_stop_open_close: [Entry; 4],
    head_get_read_more: [Entry; 4],
    put_data_commit_list: [Entry; 4],
    remove: Option<extern "C" fn(*mut c_void, *mut Op, *const c_char)>,
    cancel_ping: [Entry; 2],
}

// Constants, which no thread changes.
unsafe impl Sync for Backend {}
unsafe impl Sync for SluiceOption {}

#[repr(C)]
struct Conf {
    over: *const c_char,
}

extern "C" {
    fn sluice_store(host: *mut c_void, name: *const c_char) -> *mut c_void;
    fn sluice_ask_remove(
        store: *mut c_void,
        op: *mut Op,
        key: *const c_char,
        heard: *const c_void,
        arg: *mut c_void,
    ) -> *mut Ask;
    fn sluice_done_text(op: *mut Op, status: c_int, why: *const c_char);
}

// Without open() the handle is the loop's host.
extern "C" fn remove(host: *mut c_void, op: *mut Op, key: *const c_char) {
    unsafe {
        if CStr::from_ptr(key).to_bytes().starts_with(b"keep/") {
            let why = c"100% of keep/ stays";
            sluice_done_text(op, DENIED, why.as_ptr());
        } else {
            let below = sluice_store(host, null());
            sluice_ask_remove(below, op, key, null(), null::<c_void>() as *mut _);
        }
    }
}

static OPTIONS: [SluiceOption; 2] = [
    SluiceOption {
        name: c"over".as_ptr(),
        kind: BACKEND_NAME,
        fallback: null(),
        offset: offset_of!(Conf, over),
        help: c"the backend that it stands on".as_ptr(),
    },
    SluiceOption {
        name: null(),
        kind: 0,
        fallback: null(),
        offset: 0,
        help: null(),
    },
];

static BACKEND: Backend = Backend {
    abi: ABI,
    size: size_of::<Backend>() as u32,
    name: c"keep".as_ptr(),
    version: c"1.0".as_ptr(),
    summary: c"removes nothing below keep/".as_ptr(),
    options: &OPTIONS as *const SluiceOption,
    conf_size: size_of::<Conf>(),
    start_stop_open_close: [None; 4],
    head_get_read_more: [None; 4],
    put_data_commit_list: [None; 4],
    remove: Some(remove),
    cancel_ping: [None; 2],
};

#[no_mangle]
extern "C" fn sluice_backend_keep() -> *const c_void {
    &BACKEND as *const Backend as *const c_void
}
