/* SPDX-License-Identifier: MIT
 *
 * Credentials that end: renewed in the background, and for the requests that
 * come too late.
 */
#include "credentialskit.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "date.h"
#include "log.h"

#define CALLS 20
#define LONG_MS (3600 * 1000)

static void rig_make(struct rig *rig, enum provider provider) {
  rig_init(rig);
  rig_use(rig, provider);
  CU_ASSERT_FATAL(rig_first(rig));
}

/* ---- before they end ---------------------------------------------------- */

static void test_the_time_to_ask_is_well_before_the_end(void) {
  static const struct credentials_timing timing = {
      .lead_ms = 300000, .jitter_ms = 60000, .retry_ms = 1000};
  static const struct {
    int64_t left, least, most;
  } rows[] = {{3600000, 3300000, 3359999}, {600002, 300002, 360001},
              {600000, 300000, 300000}, /* of a short life, the half */
              {60000, 30000, 30000},       {1000, 1000, 1000},
              {-60000, 1000, 1000}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int times = 0; times < 50; times++) {
      int64_t due = credentials_due_ms(&timing, rows[i].left);
      CU_ASSERT(due >= rows[i].least && due <= rows[i].most);
    }
}

static void test_those_that_end_soon_are_renewed_once(void) {
  for (enum provider i = BY_WEB; i <= BY_IMDS; i++) {
    struct rig rig;
    rig_init(&rig);
    rig_use(&rig, i);
    rig.service.lives_ms = 1000;
    CU_ASSERT(rig_first(&rig));
    int64_t end_ms = rig.s3.first.expires_ms;
    rig.service.lives_ms = LONG_MS;
    rig_open(&rig);
    while (rig.handle.renewals == 0)
      rig_pass(&rig);
    CU_ASSERT(date_now_ms() < end_ms);
    CU_ASSERT_EQUAL(rig_number(&rig.handle.credentials), 2);
    CU_ASSERT_EQUAL(rig_number(&rig.s3.first), 1);
    rig_wait_ms(&rig, 600); /* past their end */
    CU_ASSERT_EQUAL(rig.service.asked, 2);
    rig_fini(&rig);
  }
}

static void test_the_old_ones_stay_while_there_are_no_others(void) {
  struct rig rig;
  rig_init(&rig);
  rig_use(&rig, BY_WEB);
  rig.service.lives_ms = 200;
  CU_ASSERT(rig_first(&rig));
  rig.service.mood = MOOD_REFUSING;
  rig_open(&rig);
  while (rig.service.asked < 5)
    rig_pass(&rig);
  CU_ASSERT_EQUAL(rig.handle.renewals, 0);
  CU_ASSERT_EQUAL(rig_number(&rig.handle.credentials), 1);
  rig.service.lives_ms = LONG_MS;
  rig.service.mood = MOOD_GOOD;
  while (rig.handle.renewals == 0)
    rig_pass(&rig);
  CU_ASSERT_EQUAL(rig_number(&rig.handle.credentials), 2);
  rig_fini(&rig);
}

/* ---- requests ----------------------------------------------------------- */

static void test_a_refused_request_is_repeated_with_others(void) {
  static const char *const methods[] = {"GET", "HEAD"};
  for (enum provider i = BY_WEB; i <= BY_IMDS; i++)
    for (size_t m = 0; m < 2; m++) {
      struct rig rig;
      struct get get;
      rig_make(&rig, i);
      rig_open(&rig);
      rig.service.valid_from = 2;
      get_start(&get, &rig, methods[m]);
      get_wait(&get, &rig);
      CU_ASSERT_EQUAL(get.status, SLUICE_OK);
      CU_ASSERT_EQUAL(get.attempts, 2);
      CU_ASSERT_EQUAL(rig.service.asked, 2);
      rig_fini(&rig);
    }
}

static void test_the_file_is_read_again(void) {
  struct rig rig;
  struct get get;
  rig_make(&rig, BY_FILE);
  rig_open(&rig);
  rig_write_keys(&rig, 2);
  rig.service.valid_from = 2;
  get_start(&get, &rig, "GET");
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.status, SLUICE_OK);
  CU_ASSERT_EQUAL(rig_number(&rig.handle.credentials), 2);
  rig_fini(&rig);
}

static void test_many_refused_requests_ask_once(void) {
  struct rig rig;
  struct get gets[CALLS];
  rig_make(&rig, BY_WEB);
  rig_open(&rig);
  rig.service.valid_from = 2;
  for (int i = 0; i < CALLS; i++)
    get_start(&gets[i], &rig, "GET");
  for (int i = 0; i < CALLS; i++) {
    get_wait(&gets[i], &rig);
    CU_ASSERT_EQUAL(gets[i].status, SLUICE_OK);
    CU_ASSERT_EQUAL(gets[i].attempts, 2);
  }
  CU_ASSERT_EQUAL(rig.service.asked, 2);
  CU_ASSERT_EQUAL(rig.handle.renewals, 1);
  rig_fini(&rig);
}

static void test_others_that_are_refused_too_end_it(void) {
  struct rig rig;
  struct get get;
  rig_make(&rig, BY_CONTAINER);
  rig.s3.source.timing.retry_ms = 60000;
  rig_open(&rig);
  rig.service.valid_from = 100;
  get_start(&get, &rig, "GET");
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(get.attempts, 2);
  get_start(&get, &rig, "GET");
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.attempts, 1);
  CU_ASSERT_EQUAL(rig.service.asked, 2);
  rig_fini(&rig);
}

static void test_a_provider_that_fails_ends_it(void) {
  struct rig rig;
  struct get get;
  rig_make(&rig, BY_IMDS);
  rig_open(&rig);
  rig.service.valid_from = 2;
  rig.service.mood = MOOD_REFUSING;
  get_start(&get, &rig, "GET");
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(get.attempts, 2);
  rig_fini(&rig);
}

static void test_keys_of_the_options_have_no_others(void) {
  struct rig rig;
  struct get get;
  rig_init(&rig);
  rig.conf.access_key = "AKIDEXAMPLE1";
  rig.conf.secret_key = SECRET_WORD;
  CU_ASSERT(rig_first(&rig));
  rig_open(&rig);
  rig.service.valid_from = 2;
  get_start(&get, &rig, "GET");
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.status, SLUICE_EUPSTREAM);
  CU_ASSERT_EQUAL(get.attempts, 1);
  rig_fini(&rig);
}

static void test_requests_in_flight_survive_a_renewal(void) {
  struct rig rig;
  struct get gets[CALLS];
  rig_init(&rig);
  rig_use(&rig, BY_WEB);
  rig.service.lives_ms = 400;
  CU_ASSERT(rig_first(&rig));
  rig.service.lives_ms = LONG_MS;
  rig_open(&rig);
  rig.service.s3_held = true;
  for (int i = 0; i < CALLS; i++)
    get_start(&gets[i], &rig, "GET");
  while (rig.handle.renewals == 0 || rig.service.gets < CALLS)
    rig_pass(&rig);
  service_s3_goes_on(&rig.service, CALLS);
  for (int i = 0; i < CALLS; i++) {
    get_wait(&gets[i], &rig);
    CU_ASSERT_EQUAL(gets[i].status, SLUICE_OK);
    CU_ASSERT_EQUAL(gets[i].attempts, 1);
  }
  rig_fini(&rig);
}

/* Signed with the old ones, refused after the others came: these serve. */
static void test_a_late_refusal_asks_nobody(void) {
  struct rig rig;
  struct get get;
  rig_init(&rig);
  rig_use(&rig, BY_WEB);
  rig.service.lives_ms = 400;
  CU_ASSERT(rig_first(&rig));
  rig.service.lives_ms = LONG_MS;
  rig_open(&rig);
  rig.service.s3_held = true;
  get_start(&get, &rig, "GET");
  while (rig.handle.renewals == 0 || rig.service.gets < 1)
    rig_pass(&rig);
  rig.service.valid_from = 2;
  rig.service.s3_held = false;
  service_s3_goes_on(&rig.service, 1);
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.status, SLUICE_OK);
  CU_ASSERT_EQUAL(get.attempts, 2);
  CU_ASSERT_EQUAL(rig.service.asked, 2);
  rig_fini(&rig);
}

static void test_a_request_waits_so_long_and_no_longer(void) {
  struct rig rig;
  struct get get;
  rig_make(&rig, BY_WEB);
  rig.s3.source.timing.wait_ms = 50;
  rig_open(&rig);
  rig.service.valid_from = 2;
  rig.service.mood = MOOD_HELD;
  get_start(&get, &rig, "GET");
  while (rig.service.asked < 2)
    rig_pass(&rig);
  rig.service.s3_held = true;
  while (rig.service.gets < 2)
    rig_pass(&rig);
  /* It is at its second attempt: that there are none doesn't matter to it. */
  rig.service.mood = MOOD_GOOD;
  service_go_on(&rig.service, 1);
  while (rig.handle.renewals == 0)
    rig_pass(&rig);
  service_s3_goes_on(&rig.service, 2);
  get_wait(&get, &rig);
  CU_ASSERT_EQUAL(get.attempts, 2);
  CU_ASSERT_EQUAL(rig.service.gets, 2);
  rig_fini(&rig);
}

/* ---- who leaves --------------------------------------------------------- */

static void test_a_request_may_leave_while_it_waits(void) {
  struct rig rig;
  struct get one, other;
  rig_make(&rig, BY_WEB);
  rig_open(&rig);
  rig.service.valid_from = 2;
  rig.service.mood = MOOD_HELD;
  get_start(&one, &rig, "GET");
  get_start(&other, &rig, "GET");
  while (rig.service.asked < 2 || rig.service.gets < 2)
    rig_pass(&rig);
  s3_call_cancel(one.call);
  service_go_on(&rig.service, 1);
  get_wait(&other, &rig);
  CU_ASSERT_FALSE(one.over);
  CU_ASSERT_EQUAL(other.status, SLUICE_EUPSTREAM);
  rig_fini(&rig);
}

static void test_a_loop_may_close_while_it_asks(void) {
  for (enum provider i = BY_WEB; i <= BY_IMDS; i++) {
    struct rig rig;
    struct get get;
    rig_make(&rig, i);
    rig_open(&rig);
    rig.service.valid_from = 2;
    rig.service.mood = MOOD_HELD;
    get_start(&get, &rig, "GET");
    while (rig.service.asked < 2)
      rig_pass(&rig);
    s3_call_cancel(get.call);
    rig_close(&rig);
    service_go_on(&rig.service, 1);
    rig_fini(&rig);
  }
}

/* A file that blocks whoever reads it. */
static void test_a_loop_may_close_while_a_thread_reads(void) {
  struct rig rig;
  struct get get;
  char path[128];
  rig_make(&rig, BY_WEB);
  snprintf(path, sizeof path, "%s/token", rig.folder);
  unlink(path);
  CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
  rig_open(&rig);
  rig.service.valid_from = 2;
  get_start(&get, &rig, "GET");
  int fd = -1;
  while (fd < 0) { /* until the other end is open */
    event_base_loop(loop_base(rig.loop), EVLOOP_NONBLOCK);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  }
  s3_call_cancel(get.call);
  s3_loop_fini(&rig.handle);
  rig.handle = (struct s3_loop){0};
  close(fd);
  rig_fini(&rig); /* waits for the thread */
  CU_ASSERT_EQUAL(rig.service.asked, 1);
}

static void test_no_secret_was_said(void) {
  const char *said = capture_end();
  CU_ASSERT(strstr(said, "new credentials from") != NULL);
  CU_ASSERT(strstr(said, "no new credentials, the old ones end in") != NULL ||
            strstr(said, "the old ones have expired") != NULL);
  CU_ASSERT_PTR_NULL(strstr(said, SECRET_WORD));
  fputs(said, stderr);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_the_time_to_ask_is_well_before_the_end),
      UNIT(test_those_that_end_soon_are_renewed_once),
      UNIT(test_the_old_ones_stay_while_there_are_no_others),
      UNIT(test_a_refused_request_is_repeated_with_others),
      UNIT(test_the_file_is_read_again),
      UNIT(test_many_refused_requests_ask_once),
      UNIT(test_others_that_are_refused_too_end_it),
      UNIT(test_a_provider_that_fails_ends_it),
      UNIT(test_keys_of_the_options_have_no_others),
      UNIT(test_requests_in_flight_survive_a_renewal),
      UNIT(test_a_late_refusal_asks_nobody),
      UNIT(test_a_request_waits_so_long_and_no_longer),
      UNIT(test_a_request_may_leave_while_it_waits),
      UNIT(test_a_loop_may_close_while_it_asks),
      UNIT(test_a_loop_may_close_while_a_thread_reads),
      UNIT(test_no_secret_was_said),
      {NULL, NULL}};
  alarm(120);
  log_set_level(SLUICE_LOG_DEBUG);
  httpc_init();
  capture_start();
  return unit_main("credentials_refresh", tests);
}
