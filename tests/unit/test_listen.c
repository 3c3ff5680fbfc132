/* SPDX-License-Identifier: MIT
 *
 * Sockets that the gateway listens on, as it binds and leaves them.
 */
#include "listen.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOOPS 4

static bool can_connect(const void *address, socklen_t len, int family) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool can = connect(fd, address, len) == 0;
  close(fd);
  return can;
}

static unsigned port_of(int fd) {
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
    return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? ((struct sockaddr_in6 *)&address)->sin6_port
                   : ((struct sockaddr_in *)&address)->sin_port);
}

static void listen_all(const struct listen *l) {
  for (size_t i = 0; i < l->count; i++)
    CU_ASSERT_EQUAL(listen(l->fds[i], 16), 0);
}

static bool bind_to(struct listen *l, const char *entry, size_t loops,
                    bool tls, struct errmsg *errmsg) {
  const struct listen_settings settings = {
      .key = "server.listen", .loops = loops, .tls = tls, .mode = -1};
  return listen_bind(l, entry, &settings, errmsg);
}

/* ---- TCP ---------------------------------------------------------------- */

static void test_port_0_is_one_port_for_all_loops(void) {
  struct listen l;
  struct errmsg errmsg = {""};
  char url[64];
  CU_ASSERT_TRUE_FATAL(bind_to(&l, "127.0.0.1:0", LOOPS, false, &errmsg));
  unsigned port = port_of(l.fds[0]);
  CU_ASSERT(port > 0);
  for (int i = 1; i < LOOPS; i++)
    CU_ASSERT_EQUAL(port_of(l.fds[i]), port);
  snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
  CU_ASSERT_STRING_EQUAL(l.url, url);
  listen_all(&l);
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  CU_ASSERT_TRUE(can_connect(&to, sizeof to, AF_INET));
  listen_close(&l);
  CU_ASSERT_FALSE(can_connect(&to, sizeof to, AF_INET));
}

static void test_an_ipv6_address_is_bound_and_shown(void) {
  struct listen l;
  struct errmsg errmsg = {""};
  char url[64];
  if (!bind_to(&l, "[::1]:0", 2, true, &errmsg)) {
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "[::1]:0"));
    return; /* a machine without it */
  }
  snprintf(url, sizeof url, "https://[::1]:%u", port_of(l.fds[0]));
  CU_ASSERT_STRING_EQUAL(l.url, url);
  CU_ASSERT_EQUAL(port_of(l.fds[1]), port_of(l.fds[0]));
  listen_close(&l);
}

static void test_both_families_may_have_the_same_port(void) {
  struct listen four, six;
  struct errmsg errmsg = {""};
  char entry[32];
  if (!bind_to(&six, "[::]:0", 1, false, &errmsg))
    return;
  snprintf(entry, sizeof entry, "0.0.0.0:%u", port_of(six.fds[0]));
  listen_all(&six);
  CU_ASSERT_TRUE(bind_to(&four, entry, 1, false, &errmsg));
  listen_close(&four);
  listen_close(&six);
}

/* Even from the moment on in which the first has bound it: it may still be
 * waiting for its storage before it listens. */
static void test_a_port_that_is_taken_is_refused(void) {
  for (int listening = 1; listening >= 0; listening--) {
    struct listen first, second;
    struct errmsg errmsg = {""};
    char entry[32];
    CU_ASSERT_TRUE_FATAL(bind_to(&first, "127.0.0.1:0", 2, false, &errmsg));
    if (listening)
      listen_all(&first);
    snprintf(entry, sizeof entry, "127.0.0.1:%u", port_of(first.fds[0]));
    bool bound = bind_to(&second, entry, 2, false, &errmsg);
    CU_ASSERT_FALSE(bound);
    if (bound)
      listen_close(&second);
    else
      CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "is taken"));
    listen_close(&first);
  }
}

static void test_a_port_can_be_taken_again_at_once(void) {
  struct listen l;
  struct errmsg errmsg = {""};
  char entry[32];
  CU_ASSERT_TRUE_FATAL(bind_to(&l, "127.0.0.1:0", 2, false, &errmsg));
  listen_all(&l);
  snprintf(entry, sizeof entry, "127.0.0.1:%u", port_of(l.fds[0]));
  listen_close(&l);
  CU_ASSERT_TRUE(bind_to(&l, entry, 2, false, &errmsg));
  listen_close(&l);
}

static void test_what_cannot_be_bound_says_why(void) {
  static const char *const rows[] = {"192.0.2.1:0", "no.such.host.invalid:0",
                                     "127.0.0.1", "127.0.0.1:99999999"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct listen l;
    struct errmsg errmsg = {""};
    CU_ASSERT_FALSE(bind_to(&l, rows[i], 2, false, &errmsg));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, rows[i]));
    CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "server.listen"));
  }
}

static void test_what_a_loop_has_taken_is_left_alone(void) {
  struct listen l;
  struct errmsg errmsg = {""};
  CU_ASSERT_TRUE_FATAL(bind_to(&l, "127.0.0.1:0", 2, false, &errmsg));
  int taken = l.fds[0];
  l.fds[0] = -1;
  listen_close(&l);
  CU_ASSERT_NOT_EQUAL(port_of(taken), 0);
  close(taken);
}

/* ---- UNIX --------------------------------------------------------------- */

struct place {
  char folder[64], path[80], entry[96];
  struct sockaddr_un to;
};

static void place_init(struct place *p) {
  snprintf(p->folder, sizeof p->folder, "/tmp/sluice-listen-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(p->folder));
  snprintf(p->path, sizeof p->path, "%s/socket", p->folder);
  snprintf(p->entry, sizeof p->entry, "unix:%s", p->path);
  p->to = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(p->to.sun_path, p->path, strlen(p->path));
}

static void place_fini(struct place *p) {
  unlink(p->path);
  rmdir(p->folder);
}

static bool is_there(const struct place *p) {
  struct stat st;
  return lstat(p->path, &st) == 0;
}

static void test_a_unix_socket_serves_all_loops_and_goes(void) {
  struct place p;
  struct listen l;
  struct errmsg errmsg = {""};
  place_init(&p);
  CU_ASSERT_TRUE_FATAL(bind_to(&l, p.entry, LOOPS, true, &errmsg));
  CU_ASSERT_TRUE(l.is_unix);
  CU_ASSERT_STRING_EQUAL(l.url, p.entry);
  listen_all(&l);
  CU_ASSERT_TRUE(can_connect(&p.to, sizeof p.to, AF_UNIX));
  listen_close(&l);
  CU_ASSERT_FALSE(is_there(&p));
  place_fini(&p);
}

static mode_t mode_of(int mode, mode_t mask) {
  struct place p;
  struct listen l;
  struct errmsg errmsg = {""};
  struct stat st = {0};
  const struct listen_settings settings = {
      .key = "server.listen", .loops = 2, .mode = mode};
  place_init(&p);
  mode_t before = umask(mask);
  CU_ASSERT_TRUE(listen_bind(&l, p.entry, &settings, &errmsg));
  umask(before);
  CU_ASSERT_EQUAL(lstat(p.path, &st), 0);
  listen_close(&l);
  place_fini(&p);
  return st.st_mode & 07777;
}

static void test_a_unix_socket_has_the_mode_that_is_asked(void) {
  CU_ASSERT_EQUAL(mode_of(-1, 0022), 0755);
  CU_ASSERT_EQUAL(mode_of(-1, 0), 0777);
  CU_ASSERT_EQUAL(mode_of(0660, 0022), 0660);
  CU_ASSERT_EQUAL(mode_of(0600, 0), 0600);
  CU_ASSERT_EQUAL(mode_of(0777, 0077), 0777);
  CU_ASSERT_EQUAL(mode_of(0, 0), 0);
}

/* A socket at the path that nobody has open any more. */
static void leave_stale(const struct place *p) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL(bind(fd, (const struct sockaddr *)&p->to, sizeof p->to), 0);
  listen(fd, 1);
  close(fd);
}

static void test_a_stale_unix_socket_is_replaced(void) {
  struct place p;
  struct listen l;
  struct errmsg errmsg = {""};
  place_init(&p);
  leave_stale(&p);
  CU_ASSERT_TRUE_FATAL(bind_to(&l, p.entry, 1, false, &errmsg));
  listen_all(&l);
  CU_ASSERT_TRUE(can_connect(&p.to, sizeof p.to, AF_UNIX));
  listen_close(&l);
  place_fini(&p);
}

/* In use from the moment on in which it is bound, as with ports. */
static void test_a_unix_socket_in_use_is_refused_and_stays(void) {
  for (int listening = 1; listening >= 0; listening--) {
    struct place p;
    struct listen first, second;
    struct errmsg errmsg = {""};
    place_init(&p);
    CU_ASSERT_TRUE_FATAL(bind_to(&first, p.entry, 1, false, &errmsg));
    if (listening)
      listen_all(&first);
    bool bound = bind_to(&second, p.entry, 1, false, &errmsg);
    CU_ASSERT_FALSE(bound);
    if (bound)
      listen_close(&second);
    listen_all(&first);
    CU_ASSERT_TRUE(can_connect(&p.to, sizeof p.to, AF_UNIX));
    listen_close(&first);
    place_fini(&p);
  }
}

static void test_a_file_at_the_path_is_not_removed(void) {
  struct place p;
  struct listen l;
  struct errmsg errmsg = {""};
  place_init(&p);
  FILE *file = fopen(p.path, "w");
  fputs("dear", file);
  fclose(file);
  bool bound = bind_to(&l, p.entry, 1, false, &errmsg);
  CU_ASSERT_FALSE(bound);
  struct stat st;
  CU_ASSERT(stat(p.path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 4);
  if (bound)
    listen_close(&l);
  place_fini(&p);
}

static void test_a_unix_path_of_108_bytes_is_refused(void) {
  struct place p;
  struct listen l;
  struct errmsg errmsg = {""};
  char entry[160];
  place_init(&p);
  int n = snprintf(entry, sizeof entry, "unix:%s/", p.folder);
  memset(entry + n, 'x', sizeof entry - (size_t)n);
  entry[5 + 108] = '\0';
  CU_ASSERT_FALSE(bind_to(&l, entry, 1, false, &errmsg));
  CU_ASSERT_PTR_NOT_NULL(strstr(errmsg.text, "107 bytes"));
  entry[5 + 107] = '\0';
  CU_ASSERT_TRUE(bind_to(&l, entry, 1, false, &errmsg));
  listen_close(&l);
  place_fini(&p);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_port_0_is_one_port_for_all_loops),
      UNIT(test_an_ipv6_address_is_bound_and_shown),
      UNIT(test_both_families_may_have_the_same_port),
      UNIT(test_a_port_that_is_taken_is_refused),
      UNIT(test_a_port_can_be_taken_again_at_once),
      UNIT(test_what_cannot_be_bound_says_why),
      UNIT(test_what_a_loop_has_taken_is_left_alone),
      UNIT(test_a_unix_socket_serves_all_loops_and_goes),
      UNIT(test_a_unix_socket_has_the_mode_that_is_asked),
      UNIT(test_a_stale_unix_socket_is_replaced),
      UNIT(test_a_unix_socket_in_use_is_refused_and_stays),
      UNIT(test_a_file_at_the_path_is_not_removed),
      UNIT(test_a_unix_path_of_108_bytes_is_refused),
      {NULL, NULL}};
  return unit_main("listen", tests);
}
