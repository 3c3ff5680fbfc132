/* SPDX-License-Identifier: MIT
 *
 * The set of what a process may reach, of texts and ports.
 */
#include "reach.h"
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sluice-reach-XXXXXX";

static const char *in_folder(const char *name) {
  static char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static bool covers(const struct reach *has, const char *path,
                   enum reach_kind kind) {
  struct errmsg why;
  struct reach *wanted = reach_new();
  reach_add(wanted, path, kind);
  bool ok = reach_covers(has, wanted, &why);
  reach_free(wanted);
  return ok;
}

static void test_folder_covers_what_is_below_it_alone(void) {
  static const struct {
    const char *path;
    bool covered;
  } table[] = {{"/srv/data", true},     {"/srv/data/", true},
               {"/srv/data/a/b", true}, {"/srv/data/../data/a", true},
               {"/srv/data2", false},   {"/srv", false},
               {"/srv/data/..", false}, {"/", false}};
  struct reach *has = reach_new();
  reach_add(has, "/srv/data", REACH_WRITE);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    CU_ASSERT_EQUAL(covers(has, table[i].path, REACH_WRITE), table[i].covered);
  reach_free(has);
}

static void test_kinds_cover_what_they_let_do(void) {
  static const bool table[REACH_KINDS][REACH_KINDS] = {
      [REACH_SYSTEM] = {[REACH_SYSTEM] = true, [REACH_READ] = true},
      [REACH_READ] = {[REACH_READ] = true},
      [REACH_WRITE] = {[REACH_READ] = true,
                       [REACH_WRITE] = true,
                       [REACH_SOCKETS] = true,
                       [REACH_FILE] = true},
      [REACH_SOCKETS] = {[REACH_SOCKETS] = true},
      [REACH_FILE] = {[REACH_FILE] = true}};
  for (int has = 0; has < REACH_KINDS; has++)
    for (int wanted = 0; wanted < REACH_KINDS; wanted++) {
      struct reach *reach = reach_new();
      reach_add(reach, "/srv/data", (enum reach_kind)has);
      CU_ASSERT_EQUAL(covers(reach, "/srv/data/x", (enum reach_kind)wanted),
                      table[has][wanted]);
      reach_free(reach);
    }
}

static void test_links_are_followed(void) {
  char real[PATH_MAX], link[PATH_MAX];
  snprintf(real, sizeof real, "%s/real", folder);
  snprintf(link, sizeof link, "%s/link", folder);
  CU_ASSERT_EQUAL(mkdir(real, 0700), 0);
  CU_ASSERT_EQUAL(symlink(real, link), 0);
  struct reach *has = reach_new();
  reach_add(has, link, REACH_READ);
  CU_ASSERT(covers(has, real, REACH_READ));
  CU_ASSERT(covers(has, in_folder("link/new"), REACH_READ));
  reach_free(has);
  unlink(link);
  rmdir(real);
}

static void test_file_is_read_with_its_folder_but_not_with_a_shared_one(void) {
  struct reach *has = reach_new();
  reach_file(has, in_folder("tokens.yaml"));
  CU_ASSERT(covers(has, in_folder("tokens.yaml.new"), REACH_READ));
  CU_ASSERT_FALSE(covers(has, folder, REACH_WRITE));
  reach_free(has);
  has = reach_new();
  reach_file(has, "/etc/hosts");
  CU_ASSERT(covers(has, "/etc/hosts", REACH_READ));
  CU_ASSERT_FALSE(covers(has, "/etc/shadow", REACH_READ));
  reach_free(has);
}

static void test_file_that_is_not_there_is_passed_over_if_so_wished(void) {
  struct reach *has = reach_new();
  has->present = true;
  reach_file(has, in_folder("none"));
  CU_ASSERT_EQUAL(has->count, 0);
  reach_free(has);
}

static void test_written_file_has_its_folder_and_a_device_has_none(void) {
  struct reach *has = reach_new();
  reach_written(has, in_folder("access.log"));
  CU_ASSERT(covers(has, in_folder("access.log.1"), REACH_WRITE));
  reach_written(has, "/dev/null");
  CU_ASSERT(covers(has, "/dev/null", REACH_FILE));
  CU_ASSERT_FALSE(covers(has, "/dev/zero", REACH_FILE));
  reach_free(has);
}

static void test_written_link_has_the_folder_of_what_it_means(void) {
  char logs[PATH_MAX], file[PATH_MAX], own[PATH_MAX], link[PATH_MAX];
  snprintf(logs, sizeof logs, "%s", in_folder("logs"));
  snprintf(file, sizeof file, "%s", in_folder("logs/access.log"));
  snprintf(own, sizeof own, "%s", in_folder("own"));
  snprintf(link, sizeof link, "%s", in_folder("own/access.log"));
  CU_ASSERT_EQUAL(mkdir(logs, 0700), 0);
  CU_ASSERT_EQUAL(mkdir(own, 0700), 0);
  FILE *made = fopen(file, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(made);
  fclose(made);
  CU_ASSERT_EQUAL(symlink(file, link), 0);
  struct reach *has = reach_new();
  reach_written(has, link);
  CU_ASSERT(covers(has, in_folder("own/access.log.1"), REACH_WRITE));
  CU_ASSERT(covers(has, in_folder("logs/access.log.1"), REACH_WRITE));
  CU_ASSERT_FALSE(covers(has, folder, REACH_READ));
  reach_free(has);
  unlink(link);
  unlink(file);
  rmdir(own);
  rmdir(logs);
}

static void test_file_in_a_folder_of_services_is_read_alone(void) {
  struct reach *has = reach_new();
  reach_file(has, "/var/lib/sluice-none");
  CU_ASSERT(covers(has, "/var/lib/sluice-none", REACH_READ));
  CU_ASSERT_FALSE(covers(has, "/var/lib/other", REACH_READ));
  reach_written(has, "/var/log/sluice-none.log");
  CU_ASSERT(covers(has, "/var/log/sluice-none.log.1", REACH_WRITE));
  reach_free(has);
}

static void test_ports_of_addresses(void) {
  static const struct {
    const char *text;
    int port; /* -1: none */
  } table[] = {{"http://s3.example", 80},
               {"https://s3.example", 443},
               {"https://s3.example/a:1", 443},
               {"http://s3.example:9000", 9000},
               {"http://s3.example:9000/path", 9000},
               {"http://[::1]:9000", 9000},
               {"http://[::1]", 80},
               {"https://[2001:db8::1]/", 443},
               {"HTTPS://s3.example", 443},
               {"Http://s3.example:9000", 9000},
               {"127.0.0.1:3310", 3310},
               {"[::1]:3310", 3310},
               {"host:65535", 65535},
               {"host:65536", -1},
               {"host:", -1},
               {"host:x", -1},
               {"host", -1},
               {"/run/clamd.ctl", -1},
               {"", -1}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct reach *has = reach_new();
    int found = -1;
    reach_address(has, table[i].text);
    for (unsigned port = 0; port < REACH_PORTS; port++)
      if (reach_has_port(has->connect, port))
        found = (int)port;
    CU_ASSERT_EQUAL(found, table[i].port);
    reach_free(has);
  }
}

static void test_proxy_without_a_port_has_those_of_clients(void) {
  static const struct {
    const char *text;
    unsigned port;
    bool reached, also_80;
  } table[] = {{"http://proxy", 1080, true, true},
               {"http://proxy/", 443, true, true},
               {"proxy", 1080, true, true},
               {"socks5://proxy:9050/", 9050, true, false},
               {"HTTP://[::1]:3128", 3128, true, false},
               {"proxy:3128", 1080, false, false},
               {"", 1080, false, false}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct reach *has = reach_new();
    reach_proxy(has, table[i].text);
    CU_ASSERT_EQUAL(reach_has_port(has->connect, table[i].port),
                    table[i].reached);
    CU_ASSERT_EQUAL(reach_has_port(has->connect, 80), table[i].also_80);
    reach_free(has);
  }
}

static void test_ports_are_compared(void) {
  struct errmsg why;
  struct reach *has = reach_new(), *wanted = reach_new();
  reach_address(has, "http://a:9000");
  reach_address(wanted, "http://b:9000");
  CU_ASSERT(reach_covers(has, wanted, &why));
  reach_address(wanted, "http://b:9001");
  CU_ASSERT_FALSE(reach_covers(has, wanted, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "connect to port 9001");
  has->anywhere = true;
  CU_ASSERT(reach_covers(has, wanted, &why));
  has->anywhere = false;
  wanted->anywhere = true;
  CU_ASSERT_FALSE(reach_covers(has, wanted, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "connect to any port");
  reach_free(has);
  reach_free(wanted);
}

static void test_listening_binds_a_port_or_makes_a_socket(void) {
  struct reach *has = reach_new();
  reach_bind(has, "[::]:8443");
  reach_bind(has, in_folder("sluice"));
  CU_ASSERT(reach_has_port(has->bind, 8443));
  CU_ASSERT_FALSE(reach_has_port(has->connect, 8443));
  CU_ASSERT_EQUAL(has->count, 0);
  char address[PATH_MAX + 8];
  snprintf(address, sizeof address, "unix:%s", in_folder("sluice"));
  reach_bind(has, address);
  CU_ASSERT(covers(has, folder, REACH_SOCKETS));
  CU_ASSERT_FALSE(covers(has, folder, REACH_READ));
  reach_free(has);
}

static void test_one_more_path_than_the_most_fails(void) {
  struct reach *has = reach_new();
  char path[64];
  for (int i = 0; i < REACH_PATHS_MAX; i++) {
    snprintf(path, sizeof path, "/none/%d", i);
    reach_add(has, path, REACH_READ);
  }
  CU_ASSERT_FALSE(has->failed);
  reach_add(has, "/none/more", REACH_READ);
  CU_ASSERT(has->failed);
  reach_free(has);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_folder_covers_what_is_below_it_alone),
      UNIT(test_kinds_cover_what_they_let_do),
      UNIT(test_links_are_followed),
      UNIT(test_file_is_read_with_its_folder_but_not_with_a_shared_one),
      UNIT(test_file_that_is_not_there_is_passed_over_if_so_wished),
      UNIT(test_written_file_has_its_folder_and_a_device_has_none),
      UNIT(test_written_link_has_the_folder_of_what_it_means),
      UNIT(test_file_in_a_folder_of_services_is_read_alone),
      UNIT(test_ports_of_addresses),
      UNIT(test_proxy_without_a_port_has_those_of_clients),
      UNIT(test_ports_are_compared),
      UNIT(test_listening_binds_a_port_or_makes_a_socket),
      UNIT(test_one_more_path_than_the_most_fails),
      {NULL, NULL}};
  if (mkdtemp(folder) == NULL)
    return 1;
  int status = unit_main("reach", tests);
  rmdir(folder);
  return status;
}
