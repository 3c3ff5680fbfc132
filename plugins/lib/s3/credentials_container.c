/* SPDX-License-Identifier: MIT
 *
 * The service beside a container: of ECS, EKS Pod Identity, Greengrass.  It
 * hands keys to whoever asks, so an address without TLS may only be this
 * machine's or one of those that AWS gives them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "credentials_fetch.h"
#include "credentials_source.h"

#define CONNECT_MS 1000
#define TOTAL_MS 5000

static bool is_near(const char *host, size_t len) {
  static const char *const near[] = {"169.254.170.2", "169.254.170.23",
                                     "fd00:ec2::23", "::1"};
  char text[INET6_ADDRSTRLEN];
  unsigned char address[16], other[16];
  if (len == strlen("localhost") && memcmp(host, "localhost", len) == 0)
    return true;
  if (len >= sizeof text)
    return false;
  memcpy(text, host, len);
  text[len] = '\0';
  int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
  if (inet_pton(family, text, address) != 1)
    return false;
  if (family == AF_INET && address[0] == 127)
    return true;
  for (size_t i = 0; i < sizeof near / sizeof *near; i++)
    if (inet_pton(family, near[i], other) == 1 &&
        memcmp(address, other, family == AF_INET ? 4 : 16) == 0)
      return true;
  return false;
}

static bool credentials_container_set_url(struct credentials_source *source,
                                          const char *relative,
                                          const char *full,
                                          struct errmsg *errmsg) {
  const char *host;
  struct buf url;
  buf_init(&url, 1024);
  if (relative != NULL)
    buf_addf(&url, "http://169.254.170.2%s%s", relative[0] == '/' ? "" : "/",
             relative);
  else
    buf_adds(&url, full);
  source->url = buf_take(&url);
  size_t len =
      source->url == NULL ? 0 : credentials_url_host(source->url, &host);
  if (len == 0)
    return errmsg_set(
        errmsg, "AWS_CONTAINER_CREDENTIALS_%s is no address of a service",
        relative != NULL ? "RELATIVE_URI" : "FULL_URI");
  return strncmp(source->url, "https://", 8) == 0 || is_near(host, len) ||
         errmsg_set(errmsg,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https://, or "
                    "this machine: keys would go through the net in clear");
}

/* It becomes a header. */
static bool is_header(const char *text) {
  for (; *text != '\0'; text++)
    if (*text < ' ' || *text > '~')
      return false;
  return true;
}

static bool set_token(struct credentials_source *source,
                      struct errmsg *errmsg) {
  const char *file = credentials_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const char *token = credentials_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (file != NULL)
    source->token_file = strdup(file);
  else if (token != NULL && !is_header(token))
    return errmsg_set(errmsg, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line "
                              "end or a control character: set it anew");
  else if (token != NULL)
    source->token = strdup(token);
  return (file == NULL && token == NULL) || source->token_file != NULL ||
         source->token != NULL || errmsg_set(errmsg, "out of memory");
}

enum finding credentials_container_find(struct credentials_source *source,
                                        const struct s3_conf *conf,
                                        struct errmsg *errmsg) {
  const char *relative =
      credentials_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const char *full = credentials_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative == NULL && full == NULL)
    return FINDING_NONE;
  source->kind = CREDENTIALS_CONTAINER;
  source->http = (struct httpc_settings){.connect_timeout_ms = CONNECT_MS,
                                         .total_timeout_ms = TOTAL_MS,
                                         .connections = 1,
                                         .proxy = "",
                                         .ca_file = conf->ca_file,
                                         .verify = conf->verify};
  return credentials_container_set_url(source, relative, full, errmsg) &&
                 set_token(source, errmsg)
             ? FINDING_DONE
             : FINDING_WRONG;
}

static bool credentials_container_read_token(struct credentials_fetch *fetch) {
  struct errmsg why = {""};
  if (fetch->source->token_file == NULL)
    return true;
  if (!credentials_read(&fetch->token, fetch->source->token_file, &why))
    return errmsg_set(&fetch->why, "can't be asked: %s", why.text);
  return is_header(fetch->token.data) ||
         errmsg_set(&fetch->why,
                    "can't be asked: the token's file %.200s has "
                    "more than one line",
                    fetch->source->token_file);
}

static void credentials_container_ask(struct credentials_fetch *fetch) {
  const struct credentials_source *source = fetch->source;
  buf_adds(&fetch->url, source->url);
  if (source->token_file != NULL)
    credentials_header(fetch, "Authorization", fetch->token.data);
  else if (source->token != NULL)
    credentials_header(fetch, "Authorization", source->token);
}

static enum credentials_step
credentials_container_hear(struct credentials_fetch *fetch) {
  int status = httpc_status(fetch->call);
  return status == 200 ? credentials_json(fetch)
                       : credentials_refused(fetch, "");
}

const struct credentials_provider credentials_container = {
    .read = credentials_container_read_token,
    .ask = credentials_container_ask,
    .hear = credentials_container_hear};
