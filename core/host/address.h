/* SPDX-License-Identifier: MIT
 *
 * The forms of places to listen at and of public URLs.
 */
#ifndef HOST_ADDRESS_H
#define HOST_ADDRESS_H

#include <stdbool.h>

#define ADDRESS_UNIX_MAX 107 /* bytes of the path, as in sockaddr_un */

/* Each returns what is wrong and what to write, or NULL when it is fine. */

/* host:port, [v6]:port or unix:/path; port 0 is any free one */
const char *address_listen_fault(const char *text);
/* http(s)://host[:port][/path] */
const char *address_url_fault(const char *text);
/* Of a place to listen at: does it only hear this machine? */
bool address_is_local(const char *listen);
/* Of a place to listen at: its path; NULL: it is no UNIX socket. */
const char *address_unix_path(const char *listen);
/* scheme://host[:port] as browsers write it in Origin: lower case, without a
 * path, and without the port that its scheme has anyway */
const char *address_origin_fault(const char *text);

#endif
