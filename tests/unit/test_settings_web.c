/* SPDX-License-Identifier: MIT
 *
 * The settings of answers: hosts in links, headers, types of files, secrets;
 * each check with its line, and the limits.
 */
#include "settings.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* Line 1 and 2 of most files here. */
#define BACKEND "backends: {main: {plugin: local}, cold: {plugin: b2}}\n"
#define ROUTE "routes: [{mount: /files, backend: main}]\n"

#define NO_HOST                                                \
  "it is no host; write files.example, files.example:8443 or " \
  "files.example:*"

#define NO_EXTENSION                                                  \
  "it is no extension; write 1 to 15 letters in lower case, without " \
  "the dot"

static struct settings *parse(const char *text, struct errmsg *err) {
  err->text[0] = '\0';
  return settings_parse("t.yaml", text, strlen(text), "/lib/plugins", err);
}

/* A row: `line` is line 3 of a file that is right without it. */
struct row {
  const char *line, *want; /* NULL: it is taken */
};

static void check_rows(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char text[2048];
    snprintf(text, sizeof text, BACKEND ROUTE "%s\n", rows[i].line);
    struct errmsg err;
    struct settings *s = parse(text, &err);
    ROW(err.text[0] == '\0' ? rows[i].line : err.text,
        rows[i].want == NULL
            ? s != NULL
            : s == NULL && strcmp(err.text, rows[i].want) == 0);
    settings_free(s);
  }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

static void test_hosts_of_links_are_checked(void) {
  static const struct row rows[] = {
      {"server: {hosts: [files.example, 'a:*', '[::1]:80']}", NULL},
      {"server: {hosts: []}", NULL},
      {"server: {hosts: [a/b]}", "t.yaml:3: 'hosts': 'a/b': " NO_HOST},
      {"server: {hosts: ['']}", "t.yaml:3: 'hosts': '': " NO_HOST},
      {"server: {hosts: ['*']}", "t.yaml:3: 'hosts': '*': " NO_HOST},
      {"server: {hosts: [a], public_url: 'https://a'}",
       "t.yaml:3: 'hosts' has no use beside 'public_url', which all URLs "
       "begin "
       "with; remove one of them"},
  };
  CHECK_ROWS(rows);
}

static void test_256_hosts_pass_and_257_do_not(void) {
  for (int count = 256; count <= 257; count++) {
    char text[8192];
    int len = snprintf(text, sizeof text, BACKEND ROUTE "server: {hosts: [");
    for (int i = 0; i < count; i++)
      len += snprintf(text + len, sizeof text - (size_t)len, "x%d, ", i);
    snprintf(text + len, sizeof text - (size_t)len, "]}\n");
    struct errmsg err;
    struct settings *s = parse(text, &err);
    ROW(err.text, (s != NULL) == (count == 256));
    settings_free(s);
  }
}

static void test_headers_of_answers_are_checked(void) {
  static const struct row rows[] = {
      {"server: {headers: {X-A: b, Content-Security-Policy: sandbox}}", NULL},
      {"server: {headers: {content-security-policy-report-only: x}}", NULL},
      {"server: {headers: {A: ''}}", NULL},
      {"server: {headers: }", NULL},
      {"server: {headers: {'a:': b}}",
       "t.yaml:3: 'headers': 'a:': it is no name; write 1 to 64 letters, "
       "digits and -"},
      {"server: {headers: {etag: b}}",
       "t.yaml:3: 'headers': 'etag': the gateway or a storage says it itself; "
       "leave it out (for Cache-Control see downloads, for Access-Control- "
       "see "
       "cors)"},
      {"server:\n  headers:\n    X-A: b\n    x-a: c",
       "t.yaml:5: 'headers': 'x-a': it is here twice; remove one"},
      {"server: {headers: [X-A]}",
       "t.yaml:3: 'headers' is not a mapping; write lines of key: value"},
      {"downloads: {cache_control: no-cache}", NULL},
      {"downloads: {cache_control: ''}", NULL},
      {"downloads: {cache_control: \"a\\tb\"}",
       "t.yaml:3: 'cache_control': its value has a control character; write "
       "one line"},
      {"links: {secret: 0123456789abcdef}", NULL},
      {"links: {secret: 0123456789abcde}",
       "t.yaml:3: 'secret': it has fewer than 16 bytes; take a random one, as "
       "of openssl rand -hex 32"},
      {"downloads: {cache: x}", "t.yaml:3: unknown key 'cache' in downloads; "
                                "known: cache_control"},
  };
  CHECK_ROWS(rows);
}

static void test_types_of_files_are_checked(void) {
  static const struct row rows[] = {
      {"uploads: {types: {step: model/step, md: 'text/markdown; v=1'}}", NULL},
      {"uploads: {types: }", NULL},
      {"uploads: {types: {}}", NULL},
      {"uploads: {types: {abcdefghijklmno: a/b}}", NULL},
      {"uploads: {types: {abcdefghijklmnop: a/b}}",
       "t.yaml:3: 'types': 'abcdefghijklmnop': " NO_EXTENSION},
      {"uploads: {types: {.md: a/b}}",
       "t.yaml:3: 'types': '.md': " NO_EXTENSION},
      {"uploads: {types: {MD: a/b}}",
       "t.yaml:3: 'types': 'MD': " NO_EXTENSION},
      {"uploads:\n  types:\n    md: text",
       "t.yaml:5: 'types': 'md': its type isn't one; write type/subtype, as "
       "in "
       "text/csv"},
      {"uploads: {types: {md: [a/b]}}",
       "t.yaml:3: 'types': 'md': it has no text; write one"},
      {"uploads: {types: {md: }}",
       "t.yaml:3: 'types': 'md': it has no text; write one"},
      {"uploads: {types: text/csv}",
       "t.yaml:3: 'types' is not a mapping; write lines of key: value"},
      {"uploads: {types: [md]}",
       "t.yaml:3: 'types' is not a mapping; write lines of key: value"},
  };
  CHECK_ROWS(rows);
}

static void test_256_types_pass_and_257_do_not(void) {
  for (int count = 256; count <= 257; count++) {
    char text[8192];
    int len = snprintf(text, sizeof text, BACKEND ROUTE "uploads: {types: {");
    for (int i = 0; i < count; i++)
      len += snprintf(text + len, sizeof text - (size_t)len, "x%d: a/b, ", i);
    snprintf(text + len, sizeof text - (size_t)len, "}}\n");
    struct errmsg err;
    struct settings *s = parse(text, &err);
    ROW(err.text, count == 256 ? s != NULL
                               : strcmp(err.text, "t.yaml:3: 'types': more "
                                                  "than 256; drop some") == 0);
    settings_free(s);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_hosts_of_links_are_checked),
      UNIT(test_256_hosts_pass_and_257_do_not),
      UNIT(test_headers_of_answers_are_checked),
      UNIT(test_types_of_files_are_checked),
      UNIT(test_256_types_pass_and_257_do_not),
      {NULL, NULL}};
  return unit_main("settings_web", tests);
}
