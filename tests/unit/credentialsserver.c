/* SPDX-License-Identifier: MIT
 *
 * The server's side of the kit: which service it is, the path says.
 */
#include "credentialskit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "date.h"

#define METADATA_TOKEN "metadata" SECRET_WORD
#define ROLE "role+name=1"

void service_serve(struct peer *);

static struct service *service_of(struct peer *peer) {
  return (struct service *)(void *)peer->server;
}

void service_go_on(struct service *service, int times) {
  while (times-- > 0)
    sem_post(&service->server.gate);
}

void service_s3_goes_on(struct service *service, int times) {
  while (times-- > 0)
    sem_post(&service->s3_gate);
}

static void answer(struct peer *peer, const char *status, const char *body) {
  char head[256];
  bool bodiless = strncmp(peer->head.data, "HEAD ", 5) == 0;
  snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
           status, strlen(body));
  peer_say(peer, head);
  if (!bodiless)
    peer_say(peer, body);
}

/* Head and body, where a test can see them. */
static void note(struct peer *peer) {
  struct service *service = service_of(peer);
  const char *length = strstr(peer->head.data, "Content-Length: ");
  size_t left = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
  size_t len = peer->head.len;
  sem_wait(&service->noting);
  memcpy(service->asked_with, peer->head.data, len);
  while (left > 0 && len + left < sizeof service->asked_with) {
    ssize_t got = recv(peer->fd, service->asked_with + len, left, 0);
    if (got <= 0)
      break;
    len += (size_t)got;
    left -= (size_t)got;
  }
  service->asked_with[len] = '\0';
  sem_post(&service->noting);
}

const char *service_asked_with(struct service *service) {
  sem_wait(&service->noting);
  sem_post(&service->noting);
  return service->asked_with;
}

static void write_time(char out[32], int64_t ms) {
  char iso[DATE_ISO_SIZE];
  date_iso(iso, ms / 1000);
  snprintf(out, 32, "%.19s.%03dZ", iso, (int)(ms % 1000));
}

static void write_keys(struct service *service, char *out, size_t size,
                       bool xml) {
  char when[32];
  int mood = service->mood, number = ++service->number;
  int lives = mood == MOOD_PAST ? -1000 : service->lives_ms;
  write_time(when, date_now_ms() + lives);
  if (mood == MOOD_NO_EXPIRY)
    when[0] = '\0';
  const char *format =
      xml ? "<Answer xmlns=\"urn:x\"><Result><Credentials>"
            "<AccessKeyId>AKIDEXAMPLE%d</AccessKeyId>"
            "<SecretAccessKey>secretSEXAMPLE%d</SecretAccessKey>"
            "<SessionToken>sessionSEXAMPLE%d</SessionToken>"
            "<Expiration>%s</Expiration></Credentials></Result>"
            "<AccessKeyId>no</AccessKeyId></Answer>"
          : "{\"AccessKeyId\": \"AKIDEXAMPLE%d\", "
            "\"SecretAccessKey\": \"secretSEXAMPLE%d\", "
            "\"Token\": \"sessionSEXAMPLE%d\", \"Expiration\": \"%s\"}";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(out, size, format, number, number, number, when);
#pragma GCC diagnostic pop
}

static void give_too_much(struct peer *peer) {
  char block[4096];
  memset(block, 'S', sizeof block);
  peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
  for (int i = 0; i < 50; i++)
    peer_send(peer, block, sizeof block);
}

static void give_keys(struct peer *peer, bool xml) {
  struct service *service = service_of(peer);
  char body[1024];
  service->asked++;
  switch ((enum service_mood)service->mood) {
  case MOOD_HELD:
    peer_wait(peer);
    answer(peer, "500 Oh", "");
    return;
  case MOOD_NONSENSE:
    answer(peer, "200 OK", "{\"SecretAccessKey\": \"SEXAMPLE\" SEXAMPLE}");
    return;
  case MOOD_NO_KEYS:
    answer(peer, "200 OK", xml ? "<A><Credentials/></A>" : "{\"Token\": 1}");
    return;
  case MOOD_TOO_LONG:
    give_too_much(peer);
    return;
  case MOOD_REFUSING:
    answer(peer, "403 No",
           xml ? "<ErrorResponse><Error><Code>AccessDenied</Code>"
                 "<Message>SEXAMPLE</Message></Error></ErrorResponse>"
               : "SEXAMPLE");
    return;
  case MOOD_BUSY_ONCE:
    service->mood = MOOD_GOOD;
    answer(peer, "503 Later", "");
    return;
  case MOOD_GOOD:
  case MOOD_NO_EXPIRY:
  case MOOD_PAST:
    break;
  }
  write_keys(service, body, sizeof body, xml);
  answer(peer, "200 OK", body);
}

static void be_metadata(struct peer *peer) {
  bool known =
      peer_has(peer, "X-aws-ec2-metadata-token: " METADATA_TOKEN "\r\n");
  if (strncmp(peer->head.data, "PUT /latest/api/token ", 22) == 0)
    answer(peer, peer_has(peer, "token-ttl-seconds: ") ? "200 OK" : "400 No",
           METADATA_TOKEN);
  else if (!known)
    answer(peer, "401 Who", "");
  else if (peer_has(peer, "/security-credentials/ HTTP"))
    answer(peer, "200 OK", ROLE);
  else if (peer_has(peer, "/security-credentials/" ROLE " HTTP"))
    give_keys(peer, false);
  else
    answer(peer, "404 No", "");
}

static void be_s3(struct peer *peer) {
  struct service *service = service_of(peer);
  const char *id = strstr(peer->head.data, "Credential=AKIDEXAMPLE");
  long number = id == NULL ? 0 : strtol(id + 22, NULL, 10);
  service->gets++;
  if (service->s3_held)
    sem_wait(&service->s3_gate);
  if (number < service->valid_from)
    answer(peer, "400 Bad Request",
           "<Error><Code>ExpiredToken</Code><Message>old</Message></Error>");
  else
    answer(peer, "200 OK", "");
}

void service_serve(struct peer *peer) {
  while (peer_head(peer)) {
    bool to_s3 = peer_has(peer, " /bucket");
    if (!to_s3)
      note(peer);
    if (to_s3)
      be_s3(peer);
    else if (peer_has(peer, " /latest/"))
      be_metadata(peer);
    else
      give_keys(peer, !peer_has(peer, " /container"));
  }
}
