/* SPDX-License-Identifier: MIT
 *
 * Checks that touch no storage and no socket: for `sluice -t`, and for a
 * start, which goes on with an old certificate.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "exposure.h"
#include "gateway.h"
#include "log.h"
#include "work.h"

bool gateway_check_spool(const struct gateway *gateway,
                         struct errmsg *errmsg) {
  const char *directory = gateway->fixed->uploads.spool_directory;
  return access(directory, R_OK | W_OK | X_OK) == 0 ||
         errmsg_set(errmsg,
                    "uploads.spool_directory: %s can't be written to: %s; "
                    "create it, or choose another one",
                    directory, strerror(errno));
}

static bool check_listen(const struct gateway *gateway,
                         struct errmsg *errmsg) {
  const char *const *listen = gateway->fixed->server.listen;
  for (; *listen != NULL; listen++)
    if (!listen_check("server.listen", *listen, errmsg))
      return false;
  const char *const *admin = gateway->fixed->server.admin;
  for (; *admin != NULL; admin++)
    if (!listen_check("server.admin", *admin, errmsg))
      return false;
  return true;
}

/* Hooks that guard read files of keys and users, and nothing else, when they
 * start, and so do those that say it; others may write something, as logs
 * do. */
static bool check_hooks(struct gateway *gateway, struct errmsg *errmsg) {
  struct work_pool *pool = work_pool_new(1);
  bool ok = pool != NULL || errmsg_set(errmsg, "out of memory");
  for (size_t i = 0; ok && i < gateway->now->settings->hook_count; i++) {
    struct instance *hook = gateway->now->hooks[i];
    if (!hook->plugin.hook.guards && !hook->plugin.hook.tried)
      continue;
    hook->host.share = work_own(pool);
    void *instance = hook->plugin.hook.start(hook->conf, &hook->host);
    if (instance != NULL)
      hook->plugin.hook.stop(instance);
    else
      ok = errmsg_set(errmsg, "hook '%s': %s", hook->host.name,
                      hook->host.failure);
    hook->host.share = NULL;
  }
  work_pool_free(pool);
  return ok;
}

static void tell_file(const char *key, const char *path,
                      enum exposure exposure) {
  struct stat st;
  const char *fault = *path != '\0' && stat(path, &st) == 0
                          ? exposure_fault(st.st_mode, exposure)
                          : NULL;
  if (fault != NULL)
    log_line(SLUICE_LOG_WARN, NULL, "%s: %s %s %s", key, path, fault, path);
}

void gateway_tell_exposed(const struct settings *settings) {
  const struct config *config = settings->config;
  const struct settings_tls *tls = &settings->server.tls;
  const char *secret = exposure_fault(config->mode, EXPOSURE_SECRET);
  const char *public = exposure_fault(config->mode, EXPOSURE_PUBLIC);
  if (secret != NULL && config->secret_line > 0)
    log_line(SLUICE_LOG_WARN, NULL,
             "%s:%u: a secret is here, and the file %s %s, or write ${NAME} "
             "and set that in the environment",
             config->file, config->secret_line, secret, config->file);
  else if (public != NULL)
    log_line(SLUICE_LOG_WARN, NULL, "%s %s %s", config->file, public,
             config->file);
  tell_file("server.tls.private_key", tls->private_key, EXPOSURE_SECRET);
  tell_file("server.tls.certificate", tls->certificate, EXPOSURE_PUBLIC);
  tell_file("server.tls.client_ca", tls->client_ca, EXPOSURE_PUBLIC);
}

bool gateway_check(struct gateway *gateway, struct errmsg *errmsg) {
  gateway_tell_exposed(gateway->fixed);
  return gateway_check_spool(gateway, errmsg) &&
         check_listen(gateway, errmsg) && check_hooks(gateway, errmsg) &&
         certificate_check(gateway->certificate.tls,
                           &gateway->fixed->server.tls, errmsg);
}
