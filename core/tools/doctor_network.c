/* SPDX-License-Identifier: MIT
 *
 * The way to a service, layer by layer, and to what clients are told: the
 * storage's own links, and the gateway's public_url.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "date.h"
#include "doctor.h"

#define SKEW_WARN_S 60
#define SKEW_FAIL_S 900 /* what S3 allows (RequestTimeTooSkewed) */

/* The names that services give themselves, and the plugin that fits. */
static const struct {
  const char *server, *host, *plugin;
} providers[] = {{"MinIO", NULL, "minio"},
                 {"Ceph", NULL, "ceph"},
                 {"AmazonS3", NULL, "s3"},
                 {NULL, ".amazonaws.com", "s3"},
                 {NULL, ".r2.cloudflarestorage.com", "r2"},
                 {NULL, ".backblazeb2.com", "b2"}};

static void note_provider(struct doctor *d, const struct probe *probe,
                          const struct probe_answer *answer) {
  const char *plugin = d->gateway->now->settings->backends[d->backend].plugin,
             *fits = NULL;
  char id[128] = "";
  if (!probe_header(answer, "Server", d->server, sizeof d->server))
    d->server[0] = '\0';
  for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
    if ((providers[i].server != NULL &&
         strcasestr(d->server, providers[i].server) != NULL) ||
        (providers[i].host != NULL &&
         strstr(probe->host, providers[i].host) != NULL))
      fits = providers[i].plugin;
  /* Ceph's gateway names each request so. */
  if (fits == NULL &&
      probe_header(answer, "x-amz-request-id", id, sizeof id) &&
      strncmp(id, "tx0", 3) == 0)
    fits = "ceph";
  if (fits == NULL)
    finding_add(&d->findings, FINDING_OK, "dialect", NULL,
                "a service that is not known by its name (%s); plugin: %s",
                *d->server == '\0' ? "it tells none" : d->server, plugin);
  else if (strcmp(fits, plugin) == 0)
    finding_add(&d->findings, FINDING_OK, "dialect", NULL,
                "plugin %s fits this service", plugin);
  else
    finding_add(&d->findings, FINDING_WARN, "dialect",
                "choose the plugin that knows this service",
                "the service is one of plugin %s, and plugin is %s", fits,
                plugin);
}

static void note_clock(struct doctor *d, const struct probe_answer *answer) {
  char date[64];
  int64_t theirs, ours = date_now_ms() / 1000;
  if (!probe_header(answer, "Date", date, sizeof date) ||
      !date_http_parse(date, ours, &theirs)) {
    finding_add(&d->findings, FINDING_SKIP, "clock", NULL,
                "the service tells no time");
    return;
  }
  long long skew = ours - theirs;
  long long much = skew < 0 ? -skew : skew;
  if (much < SKEW_WARN_S)
    finding_add(&d->findings, FINDING_OK, "clock", NULL,
                "%lld s from the service's", much);
  else
    finding_add(&d->findings, much < SKEW_FAIL_S ? FINDING_WARN : FINDING_FAIL,
                "clock",
                "set this machine's clock (NTP), or the service's: signed "
                "links go by both",
                "this machine is %lld s %s the service", much,
                skew < 0 ? "behind" : "ahead of");
}

static void note_certificate(struct doctor *d, const struct probe *probe) {
  X509 *certificate = SSL_get1_peer_certificate(probe->ssl);
  int days = 0, seconds = 0;
  if (certificate != NULL)
    ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate));
  X509_free(certificate);
  finding_add(&d->findings, days < 14 ? FINDING_WARN : FINDING_OK, "tls",
              days < 14 ? "renew the service's certificate" : NULL,
              "%s, %s; its certificate is good for %d days",
              SSL_get_version(probe->ssl), SSL_get_cipher(probe->ssl), days);
}

static void look(struct doctor *d, struct probe *probe) {
  struct errmsg err;
  struct probe_answer answer = {0};
  const char *ca = doctor_text(d, "ca_file");
  bool verify = doctor_bool(d, "verify", true);
  if (!probe_resolve(probe, &err)) {
    finding_add(&d->findings, FINDING_FAIL, "dns",
                "is 'endpoint' right, and is the name known to this machine?",
                "%s", err.text);
    return;
  }
  if (!probe_connect(probe, &err)) {
    finding_add(&d->findings, FINDING_FAIL, "tcp",
                "is the service up, is the port right, does a firewall stand "
                "between?",
                "%s", err.text);
    return;
  }
  finding_add(&d->findings, FINDING_OK, "tcp", NULL, "%s is %s, port %s",
              probe->host, probe->address, probe->port);
  if (probe->tls &&
      !probe_handshake(probe, ca == NULL ? "" : ca, verify, &err)) {
    finding_add(&d->findings, FINDING_FAIL, "tls",
                "name the signer's certificate in 'ca_file', or write "
                "http:// where there is no TLS",
                "%s", err.text);
    return;
  }
  if (probe->tls)
    note_certificate(d, probe);
  if (probe_ask(probe, "GET", &answer, &err)) {
    d->reachable = true;
    note_clock(d, &answer);
    note_provider(d, probe, &answer);
  } else {
    finding_add(&d->findings, FINDING_FAIL, "http",
                probe->tls ? "is this port the service's?"
                           : "write https:// where TLS is spoken",
                "%s", err.text);
  }
  probe_answer_fini(&answer);
}

void doctor_network(struct doctor *d) {
  const char *endpoint = doctor_text(d, "endpoint");
  const char *proxy = doctor_text(d, "proxy");
  struct probe probe;
  d->reachable = true;
  if (endpoint == NULL || *endpoint == '\0')
    return;
  if (proxy != NULL && *proxy != '\0') {
    finding_add(&d->findings, FINDING_SKIP, "tcp", NULL,
                "a proxy stands between; the operations below go through it");
    return;
  }
  d->reachable = false;
  if (probe_init(&probe, endpoint))
    look(d, &probe);
  else
    finding_add(&d->findings, FINDING_FAIL, "dns",
                "write it as https://host or http://host:port",
                "'endpoint': '%s' is no URL", endpoint);
  probe_fini(&probe);
}

/* ---- as a client -------------------------------------------------------- */

static bool fetch(struct doctor *d, const char *url, struct probe *probe,
                  struct probe_answer *answer, struct errmsg *err) {
  const char *ca = doctor_text(d, "ca_file");
  if (!probe_init(probe, url))
    return errmsg_set(err, "'%.200s' is no URL", url);
  return probe_resolve(probe, err) && probe_connect(probe, err) &&
         (!probe->tls ||
          probe_handshake(probe, ca == NULL ? "" : ca, true, err)) &&
         probe_ask(probe, "GET", answer, err);
}

/* The <Code> of S3, or nothing. */
static void say_why(const struct probe_answer *answer, char *out,
                    size_t size) {
  const char *from =
      answer->body == NULL ? NULL : strstr(answer->body, "<Code>");
  const char *end = from == NULL ? NULL : strstr(from, "</Code>");
  if (end != NULL)
    snprintf(out, size, ": %.*s", (int)(end - from - 6), from + 6);
  else
    out[0] = '\0';
}

void doctor_fetch(struct doctor *d, const char *step, const char *url,
                  bool compared) {
  static const char advice[] =
      "clients must reach it by this name and without a proxy that changes "
      "Host or the query: set 'presign_endpoint' to what they use, or "
      "presign.via: gateway";
  struct probe probe = {.fd = -1};
  struct probe_answer answer = {0};
  struct errmsg err;
  char why[128], id[128];
  if (!fetch(d, url, &probe, &answer, &err)) {
    finding_add(&d->findings, FINDING_FAIL, step,
                compared ? advice : "is it the gateway's, and does it run?",
                "%s", err.text);
  } else if (answer.status != 200) {
    say_why(&answer, why, sizeof why);
    finding_add(&d->findings, FINDING_FAIL, step,
                compared ? advice : "is it the gateway's, and does it run?",
                "%s answers with %d%s", probe.host, answer.status, why);
  } else if (compared &&
             (answer.body_len != d->bytes.length ||
              memcmp(answer.body, d->bytes.data, answer.body_len) != 0)) {
    finding_add(&d->findings, FINDING_FAIL, step, advice,
                "%s answers with other bytes than were stored", probe.host);
  } else {
    finding_add(&d->findings, FINDING_OK, step, NULL,
                "fetched from %s as a client would", probe.host);
    if (compared)
      d->versioned =
          probe_header(&answer, "x-amz-version-id", id, sizeof id) &&
          strcmp(id, "null") != 0;
  }
  probe_answer_fini(&answer);
  probe_fini(&probe);
}

void doctor_public_url(struct doctor *d) {
  const char *url = d->gateway->now->settings->server.public_url;
  char health[2304];
  if (*url == '\0') {
    finding_add(&d->findings, FINDING_SKIP, "public_url", NULL,
                "links begin with the Host of each request");
    return;
  }
  snprintf(health, sizeof health, "%s/healthz", url);
  doctor_fetch(d, "public_url", health, false);
}
