/* SPDX-License-Identifier: MIT
 *
 * The backend's side of the kit.
 */
#include "credentialskit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call_private.h"
#include "digest.h"

void service_serve(struct peer *);

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT"};

void rig_set(const char *name, const char *fmt, ...) {
  char text[2048];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  setenv(name, text, 1);
}

static void clear_environment(struct rig *rig) {
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
    unsetenv(variables[i]);
  rig_set("HOME", "%s", rig->folder);
  rig_set("AWS_EC2_METADATA_DISABLED", "true");
}

void rig_init(struct rig *rig) {
  static const struct s3_dialect dialect = {.name = "test"};
  *rig = (struct rig){.host.name = "s3"};
  rig->s3.host = &rig->host;
  snprintf(rig->folder, sizeof rig->folder, "/tmp/sluice-credentials-XXXXXX");
  if (mkdtemp(rig->folder) == NULL)
    abort();
  clear_environment(rig);
  rig->service.server.serve = service_serve;
  rig->service.lives_ms = 3600 * 1000;
  rig->service.valid_from = 1;
  sem_init(&rig->service.s3_gate, 0, 0);
  sem_init(&rig->service.noting, 0, 1);
  server_start(&rig->service.server);
  rig->conf = (struct s3_conf){.bucket = "bucket",
                               .region = "us-east-1",
                               .access_key = "",
                               .secret_key = "",
                               .session_token = "",
                               .credentials_file = "",
                               .profile = "",
                               .proxy = "",
                               .ca_file = "",
                               .verify = true,
                               .connect_timeout_ms = 10000,
                               .idle_timeout_ms = 10000,
                               .retry_time_ms = 60000,
                               .attempts = 1,
                               .connections = 32};
  rig->s3.conf = &rig->conf;
  rig->s3.dialect = &dialect;
  snprintf(rig->s3.endpoint.host, sizeof rig->s3.endpoint.host, "127.0.0.1:%d",
           rig->service.server.port);
}

void rig_fini(struct rig *rig) {
  static const char *const files[] = {"keys", "config", "token"};
  char path[128];
  rig_close(rig);
  credentials_fini(&rig->s3.first);
  credentials_source_fini(&rig->s3.source);
  server_stop(&rig->service.server);
  sem_destroy(&rig->service.s3_gate);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", rig->folder, files[i]);
    unlink(path);
  }
  rmdir(rig->folder);
}

const char *rig_write(struct rig *rig, const char *name, const char *fmt,
                      ...) {
  static char path[128];
  va_list args;
  snprintf(path, sizeof path, "%s/%s", rig->folder, name);
  FILE *file = fopen(path, "w");
  va_start(args, fmt);
  if (file == NULL || vfprintf(file, fmt, args) < 0 || fclose(file) != 0)
    abort();
  va_end(args);
  return path;
}

void rig_write_keys(struct rig *rig, int number) {
  const char *path =
      rig_write(rig, "keys",
                "[default]\naws_access_key_id = AKIDEXAMPLE%d\n"
                "aws_secret_access_key = secret" SECRET_WORD "%d\n"
                "aws_session_token = session" SECRET_WORD "%d\n",
                number, number, number);
  rig_set("AWS_SHARED_CREDENTIALS_FILE", "%s", path);
}

void rig_use(struct rig *rig, enum provider provider) {
  int port = rig->service.server.port;
  switch (provider) {
  case BY_WEB:
    rig_set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:%d", port);
    rig_set("AWS_ROLE_ARN", "arn:aws:iam::1:role/a b");
    rig_set("AWS_WEB_IDENTITY_TOKEN_FILE", "%s",
            rig_write(rig, "token", WEB_TOKEN "\n"));
    break;
  case BY_CONTAINER:
    rig_set("AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://127.0.0.1:%d/container", port);
    rig_set("AWS_CONTAINER_AUTHORIZATION_TOKEN", AUTHORIZATION);
    break;
  case BY_IMDS:
    unsetenv("AWS_EC2_METADATA_DISABLED");
    rig_set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:%d/", port);
    break;
  case BY_FILE:
    rig_write_keys(rig, 1);
  }
}

/* ---- from the source to a handle ---------------------------------------- */

bool rig_find(struct rig *rig) {
  bool found =
      credentials_source_find(&rig->s3.source, &rig->conf, &rig->errmsg);
  fprintf(stderr, "%s\n", rig->errmsg.text);
  rig->s3.source.timing = (struct credentials_timing){
      .lead_ms = 60000, .retry_ms = 1, .retry_max_ms = 10, .wait_ms = 60000};
  return found;
}

bool rig_first(struct rig *rig) {
  if (!rig_find(rig))
    return false;
  bool good = credentials_first(&rig->s3.first, &rig->s3.source, &rig->host,
                                &rig->errmsg);
  if (!good)
    fprintf(stderr, "%s\n", rig->errmsg.text);
  return good;
}

void rig_open(struct rig *rig) {
  rig->pool = work_pool_new(2);
  rig->loop = rig->host.loop = loop_new();
  rig->host.share = work_own(rig->pool);
  rig->opened = true;
  if (!s3_loop_init(&rig->handle, &rig->s3, &rig->host, loop_base(rig->loop),
                    false))
    abort();
}

void rig_close(struct rig *rig) {
  if (!rig->opened)
    return;
  rig->opened = false;
  s3_loop_fini(&rig->handle);
  loop_stop(rig->loop);
  loop_run(rig->loop); /* until all work is done */
  work_pool_free(rig->pool);
  loop_free(rig->loop);
}

void rig_pass(struct rig *rig) {
  event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  *(bool *)arg = true;
}

void rig_wait_ms(struct rig *rig, int ms) {
  bool over = false;
  struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  event_base_once(loop_base(rig->loop), -1, EV_TIMEOUT, on_time, &over, &wait);
  while (!over)
    rig_pass(rig);
}

int rig_number(const struct credentials *credentials) {
  char id[64], secret[64], session[64];
  int number = 0;
  const char *start = "AKIDEXAMPLE";
  if (credentials->access_key == NULL ||
      strncmp(credentials->access_key, start, strlen(start)) != 0)
    return 0;
  number = (int)strtol(credentials->access_key + strlen(start), NULL, 10);
  snprintf(id, sizeof id, "AKIDEXAMPLE%d", number);
  snprintf(secret, sizeof secret, "secret" SECRET_WORD "%d", number);
  snprintf(session, sizeof session, "session" SECRET_WORD "%d", number);
  bool right = strcmp(credentials->access_key, id) == 0 &&
               strcmp(credentials->secret_key, secret) == 0 &&
               credentials->session_token != NULL &&
               strcmp(credentials->session_token, session) == 0;
  return right ? number : 0;
}

/* ---- requests to S3 ----------------------------------------------------- */

static void on_done(void *arg, struct s3_call *call,
                    const struct s3_answer *answer) {
  struct get *get = arg;
  get->over = true;
  get->status = answer->status;
  get->attempts = call->attempt;
}

void get_start(struct get *get, struct rig *rig, const char *method) {
  static const struct s3_events events = {.done = on_done};
  *get = (struct get){.request = {.method = method, .key = "key"}};
  get->call = s3_call_start(&rig->handle, &get->request, &events, get);
}

void get_wait(struct get *get, struct rig *rig) {
  while (!get->over)
    rig_pass(rig);
}

/* ---- what was said ------------------------------------------------------ */

static int said = -1, own = -1;

void capture_start(void) {
  fflush(stderr);
  own = dup(STDERR_FILENO);
  said = memfd_create("said", MFD_CLOEXEC);
  dup2(said, STDERR_FILENO);
}

const char *capture_end(void) {
  static char text[1 << 20];
  fflush(stderr);
  dup2(own, STDERR_FILENO);
  ssize_t len = pread(said, text, sizeof text - 1, 0);
  text[len < 0 ? 0 : len] = '\0';
  close(own);
  close(said);
  return text;
}
