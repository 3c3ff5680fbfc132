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

static void take_stamps(const struct settings_tls *tls,
                        struct certificate_stamp out[CERTIFICATE_FILES]) {
  take_stamp(&out[0], tls->certificate);
  take_stamp(&out[1], tls->private_key);
  take_stamp(&out[2], tls->client_ca);
}

static bool are_settled(const struct certificate_stamp *stamps) {
  time_t now = time(NULL);
  for (size_t i = 0; i < CERTIFICATE_FILES; i++)
    if (now - stamps[i].changed < SETTLED_SECONDS)
      return false;
  return true;
}

static SSL_CTX *certificate_read_files(const struct settings_tls *from,
                                       struct errmsg *errmsg) {
  const struct tls_settings settings = {
      .certificate = from->certificate,
      .private_key = from->private_key,
      .ciphers = from->ciphers,
      .only_1_3 = strcmp(from->min_version, "1.3") == 0,
      .client_ca = from->client_ca,
      .optional = strcmp(from->client_certificate, "optional") == 0};
  return tls_new(&settings, errmsg);
}

bool certificate_load(struct certificate_fresh *fresh,
                      const struct settings_tls *settings,
                      struct errmsg *errmsg) {
  if (settings->certificate[0] == '\0')
    return true;
  take_stamps(settings, fresh->seen);
  fresh->tls = certificate_read_files(settings, errmsg);
  return fresh->tls != NULL;
}

void certificate_fini(struct certificate *certificate) {
  SSL_CTX_free(certificate->tls);
  settings_free(certificate->from);
}

static void certificate_put_to_use(struct certificate *certificate,
                                   SSL_CTX *tls) {
  SSL_CTX_free(certificate->tls);
  certificate->tls = tls;
  if (certificate->renewed != NULL)
    certificate->renewed(certificate->arg, tls);
}

void certificate_use(struct certificate *certificate,
                     struct settings *settings,
                     struct certificate_fresh *fresh) {
  if (fresh->tls == NULL)
    return;
  settings_free(certificate->from);
  certificate->from = settings_keep(settings);
  certificate_put_to_use(certificate, fresh->tls);
  fresh->tls = NULL;
  if (certificate->looking) { /* a thread is about to write `seen` */
    certificate->stale = certificate->again = true;
    return;
  }
  memcpy(certificate->seen, fresh->seen, sizeof certificate->seen);
  if (certificate->timer != NULL) {
    event_del(certificate->timer);
    certificate_watch(certificate);
  }
}

/* ---- its age ------------------------------------------------------------ */

bool certificate_check(SSL_CTX *tls, const struct settings_tls *settings,
                       struct errmsg *errmsg) {
  char date[TLS_DATE_SIZE];
  if (tls == NULL)
    return true;
  const char *file = settings->certificate;
  switch (tls_age(tls, time(NULL), date)) {
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
  if (!certificate_check(certificate->tls, &certificate->from->server.tls,
                         &old))
    log_line(SLUICE_LOG_ERROR, NULL, "%s", old.text);
}

/* ---- looking ------------------------------------------------------------ */

static void on_thread(void *arg) {
  struct certificate *certificate = arg;
  const struct settings_tls *tls = &certificate->looks_at->server.tls;
  struct certificate_stamp now[CERTIFICATE_FILES];
  take_stamps(tls, now);
  bool changed = memcmp(now, certificate->seen, sizeof now) != 0;
  if (!certificate->asked && (!changed || !are_settled(now)))
    return;
  memcpy(certificate->seen, now, sizeof now);
  certificate->read = true;
  certificate->fresh = certificate_read_files(tls, &certificate->why);
}

static void use_fresh(struct certificate *certificate) {
  certificate_put_to_use(certificate, certificate->fresh);
  certificate->fresh = NULL;
  log_line(SLUICE_LOG_INFO, NULL, "server.tls.certificate: %s was read again",
           certificate->from->server.tls.certificate);
  tell_age(certificate);
}

static void on_looked(void *arg) {
  struct certificate *certificate = arg;
  certificate->looking = certificate->asked = false;
  settings_free(certificate->looks_at);
  certificate->looks_at = NULL;
  if (certificate->stale) {
    SSL_CTX_free(certificate->fresh);
    certificate->fresh = NULL;
    certificate->stale = false;
  } else if (certificate->fresh != NULL)
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
  certificate->looks_at = settings_keep(certificate->from);
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
  if (certificate->tls == NULL)
    return;
  int64_t ms = certificate->from->server.tls.interval_ms;
  struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  if (ms > 0)
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
