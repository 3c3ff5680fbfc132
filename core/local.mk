# SPDX-License-Identifier: MIT
#
# One library a layer, lowest first, and the program.  A layer may use those
# above it in this file; the include paths (Makefile.am) see to it.

# ---- core/base --------------------------------------------------------------

noinst_LTLIBRARIES += %D%/libbase.la
%C%_libbase_la_CPPFLAGS = $(BASE_CPPFLAGS)
%C%_libbase_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
%C%_libbase_la_LIBADD = $(CRYPTO_LIBS)
%C%_libbase_la_SOURCES = \
	%D%/base/answerheader.c \
	%D%/base/answerheader.h \
	%D%/base/authority.c \
	%D%/base/authority.h \
	%D%/base/boundary.c \
	%D%/base/boundary.h \
	%D%/base/buf.c \
	%D%/base/buf.h \
	%D%/base/checksum.c \
	%D%/base/checksum.h \
	%D%/base/chunked.c \
	%D%/base/chunked.h \
	%D%/base/chunkform.c \
	%D%/base/chunkform.h \
	%D%/base/cidr.c \
	%D%/base/cidr.h \
	%D%/base/clock.c \
	%D%/base/clock.h \
	%D%/base/codec.c \
	%D%/base/codec.h \
	%D%/base/cursor.c \
	%D%/base/cursor.h \
	%D%/base/date.c \
	%D%/base/date.h \
	%D%/base/digest.c \
	%D%/base/digest.h \
	%D%/base/digest_key.c \
	%D%/base/digestfield.c \
	%D%/base/digestfield.h \
	%D%/base/errmsg.c \
	%D%/base/errmsg.h \
	%D%/base/expiry.c \
	%D%/base/expiry.h \
	%D%/base/exposure.c \
	%D%/base/exposure.h \
	%D%/base/etags.c \
	%D%/base/etags.h \
	%D%/base/exposition.c \
	%D%/base/exposition.h \
	%D%/base/fields.c \
	%D%/base/fields.h \
	%D%/base/filetype.c \
	%D%/base/filetype.h \
	%D%/base/formdata.c \
	%D%/base/formdata.h \
	%D%/base/forwarded.c \
	%D%/base/forwarded.h \
	%D%/base/head.c \
	%D%/base/head.h \
	%D%/base/idempotencykey.c \
	%D%/base/idempotencykey.h \
	%D%/base/key.c \
	%D%/base/key.h \
	%D%/base/linkcount.c \
	%D%/base/linkcount.h \
	%D%/base/linkid.c \
	%D%/base/linkid.h \
	%D%/base/linkmark.c \
	%D%/base/linkmark.h \
	%D%/base/md5.c \
	%D%/base/md5.h \
	%D%/base/md5_lanes.c \
	%D%/base/md5_lanes.h \
	%D%/base/mime.c \
	%D%/base/mime.h \
	%D%/base/must.c \
	%D%/base/must.h \
	%D%/base/oncerecord.c \
	%D%/base/oncerecord.h \
	%D%/base/operation.c \
	%D%/base/operation.h \
	%D%/base/ownlink.c \
	%D%/base/ownlink.h \
	%D%/base/pagecache.c \
	%D%/base/pagecache.h \
	%D%/base/pair.h \
	%D%/base/partheader.c \
	%D%/base/partheader.h \
	%D%/base/printflike.h \
	%D%/base/quantity.c \
	%D%/base/quantity.h \
	%D%/base/query.c \
	%D%/base/query.h \
	%D%/base/range.c \
	%D%/base/range.h \
	%D%/base/sanitized.h \
	%D%/base/seal.c \
	%D%/base/seal.h \
	%D%/base/sha2.c \
	%D%/base/sha2.h \
	%D%/base/shuffle.c \
	%D%/base/shuffle.h \
	%D%/base/siphash.c \
	%D%/base/siphash.h \
	%D%/base/structured.c \
	%D%/base/structured.h \
	%D%/base/token.h \
	%D%/base/tracecontext.c \
	%D%/base/tracecontext.h \
	%D%/base/uploadhead.c \
	%D%/base/uploadhead.h \
	%D%/base/uploadid.c \
	%D%/base/uploadid.h \
	%D%/base/urgent.c \
	%D%/base/urgent.h \
	%D%/base/wipe.c \
	%D%/base/wipe.h \
	%D%/base/words.c \
	%D%/base/words.h \
	%D%/base/zip.c \
	%D%/base/zip.h

# ---- core/yaml; its stream is also of plugins --------------------------------

noinst_LTLIBRARIES += %D%/libyamlstream.la
%C%_libyamlstream_la_CPPFLAGS = $(YAML_CPPFLAGS)
%C%_libyamlstream_la_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
%C%_libyamlstream_la_LIBADD = $(YAML_LIBS)
%C%_libyamlstream_la_SOURCES = \
	%D%/yaml/yamlstream.c \
	%D%/yaml/yamlstream.h

# ---- core/runtime -----------------------------------------------------------

noinst_LTLIBRARIES += %D%/libruntime.la
%C%_libruntime_la_CPPFLAGS = $(RUNTIME_CPPFLAGS)
%C%_libruntime_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_libruntime_la_LIBADD = $(EVENT_LIBS) -lpthread
%C%_libruntime_la_SOURCES = \
	%D%/runtime/violation.c \
	%D%/runtime/violation.h \
	%D%/runtime/ask.c \
	%D%/runtime/ask.h \
	%D%/runtime/ask_pass.c \
	%D%/runtime/ask_private.h \
	%D%/runtime/ask_start.c \
	%D%/runtime/ask_step.c \
	%D%/runtime/about.h \
	%D%/runtime/budget.c \
	%D%/runtime/budget.h \
	%D%/runtime/crash.c \
	%D%/runtime/crash.h \
	%D%/runtime/refusal.c \
	%D%/runtime/refusal.h \
	%D%/runtime/layer.c \
	%D%/runtime/layer.h \
	%D%/runtime/libraries.c \
	%D%/runtime/libraries.h \
	%D%/runtime/log.c \
	%D%/runtime/log.h \
	%D%/runtime/log_head.c \
	%D%/runtime/log_queue.c \
	%D%/runtime/log_queue.h \
	%D%/runtime/log_writer.c \
	%D%/runtime/log_writer.h \
	%D%/runtime/loop.c \
	%D%/runtime/loop.h \
	%D%/runtime/meter.c \
	%D%/runtime/meter.h \
	%D%/runtime/metrics.c \
	%D%/runtime/notify.c \
	%D%/runtime/notify.h \
	%D%/runtime/metrics.h \
	%D%/runtime/marks.c \
	%D%/runtime/marks.h \
	%D%/runtime/op.c \
	%D%/runtime/op.h \
	%D%/runtime/op_expiry.c \
	%D%/runtime/op_item.c \
	%D%/runtime/op_many.c \
	%D%/runtime/op_offered.c \
	%D%/runtime/op_private.h \
	%D%/runtime/op_say.c \
	%D%/runtime/op_trace.c \
	%D%/runtime/op_turn.c \
	%D%/runtime/op_turn.h \
	%D%/runtime/plugin_api.c \
	%D%/runtime/quarantine.c \
	%D%/runtime/quarantine.h \
	%D%/runtime/repeat.c \
	%D%/runtime/repeat.h \
	%D%/runtime/tally.c \
	%D%/runtime/tally.h \
	%D%/runtime/timer.c \
	%D%/runtime/timer.h \
	%D%/runtime/work.c \
	%D%/runtime/work.h \
	%D%/runtime/work_private.h

noinst_LTLIBRARIES += %D%/libconfig.la
%C%_libconfig_la_CPPFLAGS = $(YAML_CPPFLAGS)
%C%_libconfig_la_CFLAGS = $(AM_CFLAGS)
%C%_libconfig_la_SOURCES = \
	%D%/yaml/config.c \
	%D%/yaml/config.h \
	%D%/yaml/config_node.c \
	%D%/yaml/config_tree.c \
	%D%/yaml/config_tree.h \
	%D%/yaml/expand.c \
	%D%/yaml/expand.h \
	%D%/yaml/options.c \
	%D%/yaml/options.h \
	%D%/yaml/options_type.c \
	%D%/yaml/options_type.h

# ---- core/host --------------------------------------------------------------

noinst_LTLIBRARIES += %D%/libhost.la
%C%_libhost_la_CPPFLAGS = $(HOST_CPPFLAGS)
%C%_libhost_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_libhost_la_SOURCES = \
	%D%/host/address.c \
	%D%/host/address.h \
	%D%/host/endpoint.h \
	%D%/host/plugin.c \
	%D%/host/plugin.h \
	%D%/host/plugin_file.c \
	%D%/host/plugin_file.h \
	%D%/host/plugin_list.c \
	%D%/host/plugin_metrics.c \
	%D%/host/plugin_metrics.h \
	%D%/host/route.c \
	%D%/host/route.h \
	%D%/host/settings.c \
	%D%/host/settings.h \
	%D%/host/settings_confine.c \
	%D%/host/settings_cors.c \
	%D%/host/settings_fault.c \
	%D%/host/settings_parts.h \
	%D%/host/settings_plugins.c \
	%D%/host/settings_ready.c \
	%D%/host/settings_routes.c \
	%D%/host/settings_sections.c \
	%D%/host/settings_tables.h \
	%D%/host/settings_admin.c \
	%D%/host/settings_console.c \
	%D%/host/settings_tls.c \
	%D%/host/settings_web.c

# ---- core/http1 -------------------------------------------------------------

noinst_LTLIBRARIES += %D%/libhttp1.la
%C%_libhttp1_la_CPPFLAGS = $(HTTP1_CPPFLAGS)
%C%_libhttp1_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS)
%C%_libhttp1_la_LIBADD = $(EVENT_OPENSSL_LIBS) $(EVENT_LIBS) $(SSL_LIBS) \
	$(CRYPTO_LIBS)
%C%_libhttp1_la_SOURCES = \
	%D%/http1/answer.c \
	%D%/http1/answer.h \
	%D%/http1/clientcert.c \
	%D%/http1/clientcert.h \
	%D%/http1/handshake.c \
	%D%/http1/ingress.c \
	%D%/http1/ingress.h \
	%D%/http1/conn.c \
	%D%/http1/ingress_body.c \
	%D%/http1/ingress_end.c \
	%D%/http1/ingress_head.c \
	%D%/http1/ingress_private.h \
	%D%/http1/ingress_read.c \
	%D%/http1/ingress_request.c \
	%D%/http1/ingress_sweep.c \
	%D%/http1/ingress_table.c \
	%D%/http1/ingress_table.h \
	%D%/http1/linger.c \
	%D%/http1/inherit.c \
	%D%/http1/inherit.h \
	%D%/http1/listen.c \
	%D%/http1/listen.h \
	%D%/http1/pace.c \
	%D%/http1/tls.c \
	%D%/http1/tls.h \
	%D%/http1/tls_cipher.c \
	%D%/http1/tls_cipher.h

# ---- core/gate --------------------------------------------------------------

noinst_LTLIBRARIES += %D%/libgate.la
%C%_libgate_la_CPPFLAGS = $(GATE_CPPFLAGS)
%C%_libgate_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS) $(JANSSON_CFLAGS)
%C%_libgate_la_LIBADD = $(EVENT_LIBS) $(JANSSON_LIBS)
%C%_libgate_la_SOURCES = \
	%D%/gate/attributes.c \
	%D%/gate/attributes.h \
	%D%/gate/clients.c \
	%D%/gate/clients.h \
	%D%/gate/cors.c \
	%D%/gate/cors.h \
	%D%/gate/ender.c \
	%D%/gate/ender.h \
	%D%/gate/exchange.c \
	%D%/gate/exchange.h \
	%D%/gate/exchange_begin.c \
	%D%/gate/exchange_table.c \
	%D%/gate/exchange_table.h \
	%D%/gate/exchange_work.c \
	%D%/gate/gate.h \
	%D%/gate/headerlines.c \
	%D%/gate/headerlines.h \
	%D%/gate/ownurl.c \
	%D%/gate/ownurl.h \
	%D%/gate/reply.c \
	%D%/gate/reply.h \
	%D%/gate/servertiming.c \
	%D%/gate/servertiming.h \
	%D%/gate/request.c \
	%D%/gate/request.h \
	%D%/gate/request_api.c \
	%D%/gate/request_choice.c \
	%D%/gate/request_trace.c \
	%D%/gate/request_trace.h \
	%D%/gate/intent.c \
	%D%/gate/intent.h

# ---- core/endpoints ---------------------------------------------------------

noinst_LTLIBRARIES += %D%/libendpoints.la
%C%_libendpoints_la_CPPFLAGS = $(ENDPOINTS_CPPFLAGS)
%C%_libendpoints_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS) \
	$(JANSSON_CFLAGS)
%C%_libendpoints_la_LIBADD = $(EVENT_LIBS) $(JANSSON_LIBS)
nodist_%C%_libendpoints_la_SOURCES = \
	%D%/console/files.c \
	%D%/endpoints/openapi_text.c
%C%_libendpoints_la_SOURCES = \
	%D%/endpoints/archive.c \
	%D%/endpoints/archive.h \
	%D%/endpoints/archive_send.c \
	%D%/endpoints/console.c \
	%D%/endpoints/console.h \
	%D%/endpoints/bodysum.c \
	%D%/endpoints/bodysum.h \
	%D%/endpoints/copy.c \
	%D%/endpoints/delete.c \
	%D%/endpoints/download.c \
	%D%/endpoints/endpoints.h \
	%D%/endpoints/health.c \
	%D%/endpoints/idempotency.c \
	%D%/endpoints/idempotency.h \
	%D%/endpoints/idempotency_claim.c \
	%D%/endpoints/idempotency_errand.c \
	%D%/endpoints/idempotency_parts.h \
	%D%/endpoints/join.c \
	%D%/endpoints/join.h \
	%D%/endpoints/jsonbody.c \
	%D%/endpoints/jsonbody.h \
	%D%/endpoints/linkcheck.c \
	%D%/endpoints/linkcheck.h \
	%D%/endpoints/expirynote.c \
	%D%/endpoints/expirynote.h \
	%D%/endpoints/expired.c \
	%D%/endpoints/expired.h \
	%D%/endpoints/expirysweep.c \
	%D%/endpoints/linkcommit.c \
	%D%/endpoints/linkcommit.h \
	%D%/endpoints/links.c \
	%D%/endpoints/linksecret.c \
	%D%/endpoints/linksecret.h \
	%D%/endpoints/linksweep.c \
	%D%/endpoints/linkuses.c \
	%D%/endpoints/linkuses.h \
	%D%/endpoints/list.c \
	%D%/endpoints/many.c \
	%D%/endpoints/object.c \
	%D%/endpoints/objectkey.c \
	%D%/endpoints/objectkey.h \
	%D%/endpoints/oncesweep.c \
	%D%/endpoints/openapi.c \
	%D%/endpoints/openapi.h \
	%D%/endpoints/ownobject.c \
	%D%/endpoints/ownobject.h \
	%D%/endpoints/precondition.c \
	%D%/endpoints/precondition.h \
	%D%/endpoints/presign.c \
	%D%/endpoints/presign.h \
	%D%/endpoints/presign_request.c \
	%D%/endpoints/presign_wish.c \
	%D%/endpoints/presign_wish.h \
	%D%/endpoints/rawbody.c \
	%D%/endpoints/rawbody.h \
	%D%/endpoints/readiness.c \
	%D%/endpoints/readiness.h \
	%D%/endpoints/resumable.c \
	%D%/endpoints/resumable.h \
	%D%/endpoints/resumable_address.c \
	%D%/endpoints/resumable_body.c \
	%D%/endpoints/resumable_digest.c \
	%D%/endpoints/resumable_end.c \
	%D%/endpoints/resumable_show.c \
	%D%/endpoints/resumable_state.c \
	%D%/endpoints/revocations.c \
	%D%/endpoints/revocations.h \
	%D%/endpoints/send.c \
	%D%/endpoints/send.h \
	%D%/endpoints/signed.c \
	%D%/endpoints/stagesweep.c \
	%D%/endpoints/sweepkinds.h \
	%D%/endpoints/sweeps.c \
	%D%/endpoints/sweeps.h \
	%D%/endpoints/updigest.c \
	%D%/endpoints/updigest.h \
	%D%/endpoints/upload.c \
	%D%/endpoints/upload.h \
	%D%/endpoints/upload_about.c \
	%D%/endpoints/upload_answer.c \
	%D%/endpoints/upload_early.c \
	%D%/endpoints/upload_expiry.c \
	%D%/endpoints/upload_expiry.h \
	%D%/endpoints/upload_hooks.c \
	%D%/endpoints/upload_hooks.h \
	%D%/endpoints/upload_reread.c \
	%D%/endpoints/upload_reread.h \
	%D%/endpoints/upload_store.c \
	%D%/endpoints/upload_once.c \
	%D%/endpoints/upload_once.h \
	%D%/endpoints/uploads.c \
	%D%/endpoints/uploads.h \
	%D%/endpoints/uploads_draft.c \
	%D%/endpoints/uploads_names.c \
	%D%/endpoints/uploads_names.h \
	%D%/endpoints/uploads_plain.c \
	%D%/endpoints/uploads_resource.c \
	%D%/endpoints/uploads_tus.c \
	%D%/endpoints/walk.c \
	%D%/endpoints/walk.h

# The text of /openapi.yaml, as C.
%D%/endpoints/openapi_text.c: $(srcdir)/docs/openapi.yaml
	$(AM_V_GEN)$(MKDIR_P) %D%/endpoints && { \
	  echo '#include "openapi.h"' && \
	  echo 'const char openapi_text[] =' && \
	  $(SED) -e 's/["\\]/\\&/g' -e 's/.*/"&\\n"/' \
	    $(srcdir)/docs/openapi.yaml && echo ';'; \
	} >$@.new && mv $@.new $@
CLEANFILES += %D%/endpoints/openapi_text.c

# ---- core/server ------------------------------------------------------------

noinst_LTLIBRARIES += %D%/libserver.la
%C%_libserver_la_CPPFLAGS = $(SERVER_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_libserver_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS) \
	$(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
%C%_libserver_la_LIBADD = $(EVENT_LIBS) $(SSL_LIBS) $(JANSSON_LIBS) \
	$(SECCOMP_LIBS)
%C%_libserver_la_SOURCES = \
	%D%/server/admin.c \
	%D%/server/admin.h \
	%D%/server/baton.c \
	%D%/server/baton.h \
	%D%/server/certificate.c \
	%D%/server/certificate.h \
	%D%/server/confine.c \
	%D%/server/confine.h \
	%D%/server/landlock.c \
	%D%/server/landlock.h \
	%D%/server/reach.c \
	%D%/server/reach.h \
	%D%/server/reaches.c \
	%D%/server/reaches.h \
	%D%/server/secrecy.c \
	%D%/server/secrecy.h \
	%D%/server/starter.c \
	%D%/server/starter.h \
	%D%/server/syscalls.c \
	%D%/server/syscalls.h \
	%D%/server/syscalls_table.h \
	%D%/server/control.c \
	%D%/server/control.h \
	%D%/server/counts.c \
	%D%/server/counts.h \
	%D%/server/cursorkey.c \
	%D%/server/cursorkey.h \
	%D%/server/endpoints.c \
	%D%/server/gateway.c \
	%D%/server/gateway.h \
	%D%/server/gateway_check.c \
	%D%/server/gateway_run.c \
	%D%/server/gateway_size.c \
	%D%/server/generation.c \
	%D%/server/generation.h \
	%D%/server/handover.c \
	%D%/server/handover.h \
	%D%/server/inflight.c \
	%D%/server/inflight.h \
	%D%/server/instance.c \
	%D%/server/instance.h \
	%D%/server/meters.c \
	%D%/server/meters.h \
	%D%/server/presence.c \
	%D%/server/presence.h \
	%D%/server/readyask.c \
	%D%/server/readyask.h \
	%D%/server/reload.c \
	%D%/server/reload.h \
	%D%/server/scrape.c \
	%D%/server/scrape.h \
	%D%/server/layers.c \
	%D%/server/layers.h \
	%D%/server/listeners.c \
	%D%/server/listeners.h \
	%D%/server/seat.c \
	%D%/server/seat.h \
	%D%/server/signals.c \
	%D%/server/signals.h \
	%D%/server/takeover.c \
	%D%/server/takeover.h \
	%D%/server/watchdog.c \
	%D%/server/watchdog.h \
	%D%/server/worker.c \
	%D%/server/worker.h

# ---- core/tools: commands of the program -------------------------------------

noinst_LTLIBRARIES += %D%/libtools.la
%C%_libtools_la_CPPFLAGS = $(TOOLS_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"' \
	-DSLUICE_PLUGINDIR='"$(pkglibdir)"' \
	-DSLUICE_SYSCONFDIR='"$(confdir)"'
%C%_libtools_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS) \
	$(JANSSON_CFLAGS)
%C%_libtools_la_LIBADD = $(EVENT_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS) \
	$(JANSSON_LIBS)
%C%_libtools_la_SOURCES = \
	%D%/tools/act.c \
	%D%/tools/act.h \
	%D%/tools/backup.c \
	%D%/tools/check.c \
	%D%/tools/chores.c \
	%D%/tools/chores.h \
	%D%/tools/ctl.c \
	%D%/tools/doctor.c \
	%D%/tools/doctor.h \
	%D%/tools/doctor_network.c \
	%D%/tools/doctor_option.c \
	%D%/tools/doctor_storage.c \
	%D%/tools/explain.c \
	%D%/tools/explain.h \
	%D%/tools/explain_say.c \
	%D%/tools/finding.c \
	%D%/tools/finding.h \
	%D%/tools/folder.c \
	%D%/tools/jsonout.c \
	%D%/tools/jsonout.h \
	%D%/tools/carrier.c \
	%D%/tools/carrier.h \
	%D%/tools/migrate.c \
	%D%/tools/pair_of_stores.c \
	%D%/tools/pair_of_stores.h \
	%D%/tools/plugindirs.c \
	%D%/tools/plugindirs.h \
	%D%/tools/probe.c \
	%D%/tools/probe.h \
	%D%/tools/schema.c \
	%D%/tools/stand.c \
	%D%/tools/stand.h \
	%D%/tools/report.c \
	%D%/tools/report.h \
	%D%/tools/storage.c \
	%D%/tools/storage.h \
	%D%/tools/sweep.c \
	%D%/tools/sweep_expired.c \
	%D%/tools/sweep_expired.h \
	%D%/tools/tool.c \
	%D%/tools/tool.h \
	%D%/tools/tools.c \
	%D%/tools/tools.h \
	%D%/tools/yamltext.c \
	%D%/tools/yamltext.h

# Highest first, as the linker wants it.
CORE_LIBS = \
	%D%/libserver.la \
	%D%/libendpoints.la \
	%D%/libgate.la \
	%D%/libhttp1.la \
	%D%/libhost.la \
	%D%/libruntime.la \
	%D%/libconfig.la \
	%D%/libyamlstream.la \
	%D%/libbase.la

# ---- the console's files, as C ----------------------------------------------

CONSOLE_FILES = \
	%D%/console/act.js \
	%D%/console/api.js \
	%D%/console/auth.js \
	%D%/console/browse.js \
	%D%/console/dom.js \
	%D%/console/format.js \
	%D%/console/icon.svg \
	%D%/console/index.html \
	%D%/console/main.js \
	%D%/console/oidc.js \
	%D%/console/preview.js \
	%D%/console/qr.js \
	%D%/console/queue.js \
	%D%/console/queueview.js \
	%D%/console/route.js \
	%D%/console/rows.js \
	%D%/console/send.js \
	%D%/console/share.js \
	%D%/console/style.css \
	%D%/console/thumbs.js \
	%D%/console/transfer.js \
	%D%/console/words.js

EXTRA_DIST += $(CONSOLE_FILES) %D%/console/embed.sh
CLEANFILES += %D%/console/files.c

%D%/console/files.c: $(CONSOLE_FILES) %D%/console/embed.sh
	$(AM_V_GEN)$(MKDIR_P) %D%/console && cd $(srcdir) && \
	  sh %D%/console/embed.sh $(CONSOLE_FILES) \
	  >$(abs_builddir)/$@.new && mv $(abs_builddir)/$@.new \
	  $(abs_builddir)/$@

# ---- the program ------------------------------------------------------------

# A program exports the ABI and nothing else, and all of it, also what only
# plugins call.
EXPORT_FLAGS = -Wl,--dynamic-list=$(srcdir)/%D%/sluice.syms \
	-Wl,@%D%/sluice.required
EXPORT_FILES = %D%/sluice.syms %D%/sluice.required

%D%/sluice.required: %D%/sluice.syms
	$(AM_V_GEN)$(MKDIR_P) %D% && $(SED) -n \
	  's/^ *\(sluice_[a-z_]*\);$$/--require-defined=\1/p' \
	  $(srcdir)/%D%/sluice.syms >$@.new && mv $@.new $@

CLEANFILES += %D%/sluice.required
EXTRA_DIST += %D%/sluice.syms

bin_PROGRAMS += sluice
sluice_CPPFLAGS = $(TOOLS_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"' \
	-DSLUICE_PLUGINDIR='"$(pkglibdir)"' \
	-DSLUICE_SYSCONFDIR='"$(confdir)"'
sluice_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
sluice_LDFLAGS = $(AM_LDFLAGS) $(EXPORT_FLAGS)
sluice_LDADD = %D%/libtools.la $(CORE_LIBS)
EXTRA_sluice_DEPENDENCIES = $(EXPORT_FILES)
sluice_SOURCES = %D%/main.c

# ---- the conformance kit for plugins ----------------------------------------

bin_PROGRAMS += sluice-plugin-check
sluice_plugin_check_CPPFLAGS = $(SERVER_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
sluice_plugin_check_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
sluice_plugin_check_LDFLAGS = $(AM_LDFLAGS) $(EXPORT_FLAGS)
sluice_plugin_check_LDADD = $(CORE_LIBS) -lpthread
EXTRA_sluice_plugin_check_DEPENDENCIES = $(EXPORT_FILES)
sluice_plugin_check_SOURCES = \
	%D%/check/call_clock.c \
	%D%/check/call_clock.h \
	%D%/check/cancels.c \
	%D%/check/check_process.c \
	%D%/check/check_process.h \
	%D%/check/abilities.c \
	%D%/check/exclusives.c \
	%D%/check/fixture.c \
	%D%/check/fixture.h \
	%D%/check/fixture_words.c \
	%D%/check/floors.c \
	%D%/check/floors.h \
	%D%/check/hook_leaks.c \
	%D%/check/hook_outages.c \
	%D%/check/hooks.c \
	%D%/check/keys.c \
	%D%/check/leaks.c \
	%D%/check/life.c \
	%D%/check/lifetimes.c \
	%D%/check/links.c \
	%D%/check/links.h \
	%D%/check/lists.c \
	%D%/check/loops.c \
	%D%/check/main.c \
	%D%/check/objects.c \
	%D%/check/objects.h \
	%D%/check/op_driver.c \
	%D%/check/op_driver.h \
	%D%/check/op_driver_get.c \
	%D%/check/op_driver_put.c \
	%D%/check/outage_command.c \
	%D%/check/outage_command.h \
	%D%/check/outages.c \
	%D%/check/pages.c \
	%D%/check/pages.h \
	%D%/check/reads.c \
	%D%/check/request_driver.c \
	%D%/check/request_driver.h \
	%D%/check/resource_use.c \
	%D%/check/resource_use.h \
	%D%/check/round_trip.c \
	%D%/check/round_trip.h \
	%D%/check/rules.h \
	%D%/check/sample.c \
	%D%/check/sample.h \
	%D%/check/stage_driver.c \
	%D%/check/stage_driver.h \
	%D%/check/stages.c \
	%D%/check/subject.c \
	%D%/check/subject.h \
	%D%/check/suite.c \
	%D%/check/suite.h \
	%D%/check/violation_report.c \
	%D%/check/violation_report.h \
	%D%/check/writes.c

# ---- for those who write plugins --------------------------------------------

sluiceincludedir = $(includedir)/sluice
sluiceinclude_HEADERS = \
	%D%/include/sluice/ask.h \
	%D%/include/sluice/chore.h \
	%D%/include/sluice/handover.h \
	%D%/include/sluice/calls.h \
	%D%/include/sluice/lane.h \
	%D%/include/sluice/metrics.h \
	%D%/include/sluice/plugin.h \
	%D%/include/sluice/reach.h \
	%D%/include/sluice/request.h \
	%D%/include/sluice/texts.h \
	%D%/include/sluice/timer.h \
	%D%/include/sluice/trace.h \
	%D%/include/sluice/upload.h

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = %D%/sluice.pc
