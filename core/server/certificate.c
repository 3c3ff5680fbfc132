/* SPDX-License-Identifier: MIT
 *
 * A look at files costs a thread three system calls; only what has changed is
 * read.  What changed a moment ago isn't read yet, as its neighbour may be
 * about to be written: the next look finds both.
 */
#include "certificate.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "loop.h"
#include "tls.h"
#include "work.h"

#define SETTLED_SECONDS 2
#define TELL_SECONDS 86400 /* between two lines about its age */

/* ---- files -------------------------------------------------------------- */

static void take_stamp(struct certificate_stamp *stamp, const char *path) {
  struct stat st;
  memset(stamp, 0, sizeof *stamp);
  if (stat(path, &st) != 0) {
    stamp->error = (uint64_t)errno;
    return;
  }
  stamp->device = st.st_dev;
  stamp->inode = st.st_ino;
  stamp->size = (uint64_t)st.st_size;
  stamp->modified = st.st_mtim.tv_sec;
  stamp->modified_ns = st.st_mtim.tv_nsec;
  stamp->changed = st.st_ctim.tv_sec;
  stamp->changed_ns = st.st_ctim.tv_nsec;
}

static void take_stamps(const struct certificate *certificate,
                        struct certificate_stamp out[CERTIFICATE_FILES]) {
  take_stamp(&out[0], certificate->settings->certificate);
  take_stamp(&out[1], certificate->settings->private_key);
  take_stamp(&out[2], certificate->settings->client_ca);
}

static bool are_settled(const struct certificate_stamp *stamps) {
  time_t now = time(NULL);
  for (size_t i = 0; i < CERTIFICATE_FILES; i++)
    if (now - stamps[i].changed < SETTLED_SECONDS)
      return false;
  return true;
}

static SSL_CTX *load(const struct certificate *certificate,
                     struct errmsg *errmsg) {
  const struct settings_tls *from = certificate->settings;
  const struct tls_settings settings = {
      .certificate = from->certificate,
      .private_key = from->private_key,
      .ciphers = from->ciphers,
      .only_1_3 = strcmp(from->min_version, "1.3") == 0,
      .client_ca = from->client_ca,
      .optional = strcmp(from->client_certificate, "optional") == 0};
  return tls_new(&settings, errmsg);
}

bool certificate_init(struct certificate *certificate,
                      const struct settings_tls *settings,
                      struct errmsg *errmsg) {
  certificate->settings = settings;
  if (settings->certificate[0] == '\0')
    return true;
  take_stamps(certificate, certificate->seen);
  certificate->tls = load(certificate, errmsg);
  return certificate->tls != NULL;
}

void certificate_fini(struct certificate *certificate) {
  SSL_CTX_free(certificate->tls);
}

/* ---- its age ------------------------------------------------------------ */

bool certificate_check(const struct certificate *certificate,
                       struct errmsg *errmsg) {
  char date[TLS_DATE_SIZE];
  if (certificate->tls == NULL)
    return true;
  const char *file = certificate->settings->certificate;
  switch (tls_age(certificate->tls, time(NULL), date)) {
  case TLS_VALID:
    break;
  case TLS_SOON:
    log_line(SLUICE_LOG_WARN, NULL,
             "server.tls.certificate: %s expires at %s; renew it", file, date);
    break;
  case TLS_EARLY:
    return errmsg_set(
        errmsg,
        "server.tls.certificate: %s isn't valid before %s; wait, "
        "set the clock, or choose another one",
        file, date);
  case TLS_EXPIRED:
    return errmsg_set(errmsg,
                      "server.tls.certificate: %s expired at %s; renew it",
                      file, date);
  }
  return true;
}

int64_t certificate_ends(const struct certificate *certificate) {
  struct tm tm = {0};
  ASN1_TIME_to_tm(
      X509_get0_notAfter(SSL_CTX_get0_certificate(certificate->tls)), &tm);
  return timegm(&tm);
}

static void tell_age(struct certificate *certificate) {
  struct errmsg old;
  certificate->told = time(NULL);
  if (!certificate_check(certificate, &old))
    log_line(SLUICE_LOG_ERROR, NULL, "%s", old.text);
}

/* ---- looking ------------------------------------------------------------ */

static void on_thread(void *arg) {
  struct certificate *certificate = arg;
  struct certificate_stamp now[CERTIFICATE_FILES];
  take_stamps(certificate, now);
  bool changed = memcmp(now, certificate->seen, sizeof now) != 0;
  if (!certificate->asked && (!changed || !are_settled(now)))
    return;
  memcpy(certificate->seen, now, sizeof now);
  certificate->read = true;
  certificate->fresh = load(certificate, &certificate->why);
}

static void use_fresh(struct certificate *certificate) {
  SSL_CTX_free(certificate->tls);
  certificate->tls = certificate->fresh;
  certificate->fresh = NULL;
  certificate->renewed(certificate->arg, certificate->tls);
  log_line(SLUICE_LOG_INFO, NULL, "server.tls.certificate: %s was read again",
           certificate->settings->certificate);
  tell_age(certificate);
}

static void on_looked(void *arg) {
  struct certificate *certificate = arg;
  certificate->looking = certificate->asked = false;
  if (certificate->fresh != NULL)
    use_fresh(certificate);
  else if (certificate->read)
    log_line(SLUICE_LOG_ERROR, NULL,
             "%s; the certificate that was read before stays in use",
             certificate->why.text);
  else if (time(NULL) - certificate->told >= TELL_SECONDS)
    tell_age(certificate);
  if (certificate->again)
    certificate_reload(certificate);
  else
    certificate_watch(certificate);
}

static void look(struct certificate *certificate) {
  certificate->looking = true;
  certificate->read = false;
  work_submit(certificate->share, certificate->loop, on_thread, on_looked,
              certificate);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  look(arg);
}

bool certificate_start(struct certificate *certificate, struct loop *loop,
                       struct work_share *share,
                       void (*renewed)(void *arg, SSL_CTX *), void *arg) {
  certificate->loop = loop;
  certificate->share = share;
  certificate->renewed = renewed;
  certificate->arg = arg;
  certificate->told = time(NULL);
  certificate->timer = evtimer_new(loop_base(loop), on_timer, certificate);
  return certificate->timer != NULL;
}

void certificate_watch(struct certificate *certificate) {
  int64_t ms = certificate->settings->interval_ms;
  struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  if (certificate->tls != NULL && ms > 0)
    event_add(certificate->timer, &wait);
}

void certificate_reload(struct certificate *certificate) {
  if (certificate->tls == NULL)
    return;
  certificate->again = certificate->looking;
  if (certificate->looking)
    return;
  event_del(certificate->timer);
  certificate->asked = true;
  look(certificate);
}

void certificate_stop(struct certificate *certificate) {
  if (certificate->timer != NULL)
    event_free(certificate->timer);
  certificate->timer = NULL;
}
