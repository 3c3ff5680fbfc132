/* SPDX-License-Identifier: MIT
 *
 * The providers of credentials: what each sends and takes, and what a start
 * says that gets none.
 */
#include "credentialskit.h"
#include "unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "date.h"
#include "log.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static const char *const names[] = {[BY_WEB] = "web",
                                    [BY_CONTAINER] = "container",
                                    [BY_IMDS] = "metadata",
                                    [BY_FILE] = "file"};

/* ---- the providers ------------------------------------------------------ */

static void test_each_provider_gives_keys(void) {
  for (enum provider i = BY_WEB; i <= BY_FILE; i++) {
    struct rig rig;
    rig_init(&rig);
    rig_use(&rig, i);
    ROW(names[i], rig_first(&rig));
    ROW(names[i], rig_number(&rig.s3.first) == 1);
    int64_t left = rig.s3.first.expires_ms - date_now_ms();
    ROW(names[i], i == BY_FILE ? rig.s3.first.expires_ms == 0
                               : left > 3000 * 1000 && left <= 3600 * 1000);
    rig_fini(&rig);
  }
}

static void test_what_a_service_gives_wrongly_is_told(void) {
  static const struct {
    enum service_mood mood;
    const char *says;
  } rows[] = {
      {MOOD_NONSENSE, "answers with what"}, {MOOD_NO_KEYS, "without"},
      {MOOD_NO_EXPIRY, "when they expire"}, {MOOD_PAST, "have expired"},
      {MOOD_TOO_LONG, "answers too much"},  {MOOD_REFUSING, "403"},
      {MOOD_HELD, "took too long"},
  };
  for (enum provider by = BY_WEB; by <= BY_IMDS; by++)
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      struct rig rig;
      rig_init(&rig);
      rig_use(&rig, by);
      rig.service.mood = rows[i].mood;
      ROW(rows[i].says, rig_find(&rig));
      if (rows[i].mood == MOOD_HELD)
        rig.s3.source.http.total_timeout_ms = 50;
      ROW(rows[i].says, !credentials_first(&rig.s3.first, &rig.s3.source,
                                           &rig.host, &rig.errmsg));
      fprintf(stderr, "%s\n", rig.errmsg.text);
      ROW(rig.errmsg.text, strstr(rig.errmsg.text, rows[i].says) != NULL);
      ROW(rig.errmsg.text, strstr(rig.errmsg.text, "access_key") != NULL);
      rig_fini(&rig);
    }
}

static void test_the_code_of_sts_is_told(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_WEB);
  rig.service.mood = MOOD_REFUSING;
  CU_ASSERT_FALSE(rig_first(&rig));
  CU_ASSERT(strstr(rig.errmsg.text, "403 AccessDenied") != NULL);
  CU_ASSERT_EQUAL(rig.service.asked, 1);
  rig_fini(&rig);
}

static void test_a_service_that_is_busy_is_asked_again(void) {
  for (enum provider i = BY_WEB; i <= BY_IMDS; i++) {
    struct rig rig;
    rig_init(&rig);
    rig_use(&rig, i);
    rig.service.mood = MOOD_BUSY_ONCE;
    ROW(names[i], rig_first(&rig));
    ROW(names[i], rig_number(&rig.s3.first) == 1);
    ROW(names[i], rig.service.asked == 2);
    rig_fini(&rig);
  }
}

static void test_where_nobody_listens_all_providers_are_named(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_IMDS);
  server_stop(&rig.service.server);
  CU_ASSERT_FALSE(rig_first(&rig));
  CU_ASSERT(strstr(rig.errmsg.text, "AWS_ACCESS_KEY_ID") != NULL);
  CU_ASSERT(strstr(rig.errmsg.text, "AWS_WEB_IDENTITY_TOKEN_FILE") != NULL);
  CU_ASSERT(strstr(rig.errmsg.text, "profile 'default'") != NULL);
  CU_ASSERT(strstr(rig.errmsg.text, "AWS_CONTAINER_CREDENTIALS") != NULL);
  CU_ASSERT(strstr(rig.errmsg.text, "metadata service doesn't") != NULL);
  CU_ASSERT_EQUAL(strchr(rig.errmsg.text, '\n'), NULL);
  rig_fini(&rig);
}

/* A queue that is full lets nobody in, and says nothing. */
static int silent_port(int fds[8]) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 8; i++)
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(fds[0], (struct sockaddr *)&address, len) != 0 ||
      listen(fds[0], 0) != 0 ||
      getsockname(fds[0], (struct sockaddr *)&address, &len) != 0)
    abort();
  for (int i = 1; i < 8; i++)
    (void)connect(fds[i], (struct sockaddr *)&address, len);
  return ntohs(address.sin_port);
}

static void test_a_machine_without_the_service_fails_fast(void) {
  struct rig rig;
  int fds[8];
  rig_init(&rig);
  rig_use(&rig, BY_IMDS);
  rig_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:%d",
          silent_port(fds));
  CU_ASSERT(rig_find(&rig));
  CU_ASSERT_EQUAL(rig.s3.source.http.connect_timeout_ms, 1000);
  rig.s3.source.http.connect_timeout_ms = 50;
  rig.s3.source.timing.retry_ms = 60000; /* what it must not wait */
  int64_t start_ms = date_now_ms();
  CU_ASSERT_FALSE(credentials_first(&rig.s3.first, &rig.s3.source, &rig.host,
                                    &rig.errmsg));
  CU_ASSERT(strstr(rig.errmsg.text, "doesn't answer") != NULL);
  CU_ASSERT(date_now_ms() - start_ms < 1900); /* not the whole time-out */
  for (int i = 0; i < 8; i++)
    close(fds[i]);
  rig_fini(&rig);
}

static void test_sts_gets_the_token_in_the_body_only(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_WEB);
  rig_set("AWS_ROLE_SESSION_NAME", "me@here");
  CU_ASSERT(rig_first(&rig));
  const char *head = service_asked_with(&rig.service),
             *body = strstr(head, "\r\n\r\n");
  CU_ASSERT_PTR_NOT_NULL_FATAL(body);
  CU_ASSERT(strncmp(head, "POST / HTTP/1.1\r\n", 17) == 0);
  CU_ASSERT(strstr(head, SECRET_WORD) > body);
  CU_ASSERT_STRING_EQUAL(body + 4,
                         "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
                         "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b"
                         "&RoleSessionName=me%40here"
                         "&WebIdentityToken=web.SEXAMPLE%2F%2B%3D");
  rig_fini(&rig);
}

static void test_a_container_sends_its_token(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_CONTAINER);
  CU_ASSERT(rig_first(&rig));
  CU_ASSERT(strstr(service_asked_with(&rig.service),
                   "Authorization: " AUTHORIZATION "\r\n") != NULL);
  credentials_fini(&rig.s3.first);
  credentials_source_fini(&rig.s3.source);
  rig_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%s",
          rig_write(&rig, "token", "file" SECRET_WORD "\n"));
  CU_ASSERT(rig_first(&rig));
  CU_ASSERT(strstr(service_asked_with(&rig.service),
                   "Authorization: file" SECRET_WORD "\r\n") != NULL);
  rig_fini(&rig);
}

static void test_a_token_of_two_lines_is_no_header(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_CONTAINER);
  rig_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%s",
          rig_write(&rig, "token", SECRET_WORD "\r\nX: y\n"));
  CU_ASSERT_FALSE(rig_first(&rig));
  CU_ASSERT_EQUAL(rig.service.asked, 0);
  rig_fini(&rig);
}

static void test_a_tokens_file_has_its_limits(void) {
  static const struct {
    int len;
    bool taken;
  } rows[] = {{20000, true}, {20001, false}, {0, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig rig;
    rig_init(&rig);
    rig_use(&rig, BY_WEB);
    rig_write(&rig, "token", "%0*d", rows[i].len, 0);
    if (rows[i].len == 0)
      rig_write(&rig, "token", "\n");
    CU_ASSERT_EQUAL(rig_first(&rig), rows[i].taken);
    rig_fini(&rig);
  }
}

static void test_keys_have_their_limits(void) {
  static char text[CREDENTIALS_TOKEN_MAX + 2];
  struct credentials made;
  memset(text, 'a', sizeof text - 1);
  CU_ASSERT_FALSE(credentials_set(&made, "a", "b", text));
  CU_ASSERT(credentials_set(&made, "a", "b", text + 1));
  credentials_fini(&made);
  CU_ASSERT_FALSE(credentials_set(&made, text, "b", NULL));
  CU_ASSERT_FALSE(credentials_set(&made, "a", text, NULL));
  CU_ASSERT_FALSE(credentials_set(&made, "a\r\nb", "b", NULL));
  CU_ASSERT_FALSE(credentials_set(&made, "a", "b", "c\n"));
  CU_ASSERT_FALSE(credentials_set(&made, "", "b", NULL));
  CU_ASSERT_FALSE(credentials_set(&made, "a", "", NULL));
  CU_ASSERT_PTR_NULL(made.access_key);
}

static void test_no_secret_was_said(void) {
  const char *said = capture_end();
  CU_ASSERT(strlen(said) > 1000);
  CU_ASSERT_PTR_NULL(strstr(said, SECRET_WORD));
  fputs(said, stderr);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_provider_gives_keys),
      UNIT(test_what_a_service_gives_wrongly_is_told),
      UNIT(test_the_code_of_sts_is_told),
      UNIT(test_a_service_that_is_busy_is_asked_again),
      UNIT(test_where_nobody_listens_all_providers_are_named),
      UNIT(test_a_machine_without_the_service_fails_fast),
      UNIT(test_sts_gets_the_token_in_the_body_only),
      UNIT(test_a_container_sends_its_token),
      UNIT(test_a_token_of_two_lines_is_no_header),
      UNIT(test_a_tokens_file_has_its_limits),
      UNIT(test_keys_have_their_limits),
      UNIT(test_no_secret_was_said),
      {NULL, NULL}};
  alarm(120);
  log_set_level(SLUICE_LOG_DEBUG);
  httpc_init();
  capture_start();
  return unit_main("credentials", tests);
}
