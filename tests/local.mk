# SPDX-License-Identifier: MIT
#
# Everything that `make check` runs.  A test that lacks what it needs exits 77
# and counts as skipped.

# For all programs that name no flags of their own, which are the tests: they
# see every layer and behind every plugin, whose headers have a name each.
AM_CPPFLAGS = $(SERVER_CPPFLAGS) -I$(srcdir)/%D%/unit \
	-I$(srcdir)/plugins/lib \
	-I$(srcdir)/plugins/lib/hook \
	-I$(srcdir)/plugins/lib/logs \
	-I$(srcdir)/plugins/lib/s3 \
	-I$(srcdir)/plugins/backend/cache \
	-I$(srcdir)/plugins/backend/compress \
	-I$(srcdir)/plugins/backend/encrypt \
	-I$(srcdir)/plugins/backend/mirror \
	-I$(srcdir)/plugins/backend/local \
	-I$(srcdir)/plugins/hook/auth_basic \
	-I$(srcdir)/plugins/hook/auth_jwt \
	-I$(srcdir)/plugins/hook/auth_request \
	-I$(srcdir)/plugins/hook/auth_token \
	-I$(srcdir)/plugins/hook/events \
	-I$(srcdir)/plugins/hook/lua \
	-I$(srcdir)/plugins/hook/rate_limit \
	-I$(srcdir)/plugins/hook/scan_clamd \
	-I$(srcdir)/plugins/hook/sniff
LDADD = %D%/unit/libunit.la $(CORE_LIBS) $(CUNIT_LIBS)

# Each folder of built plugins, where the tests look for them.
TEST_PLUGINS = plugins/backend/local plugins/backend/s3 plugins/backend/minio \
	plugins/backend/r2 plugins/backend/b2 plugins/backend/ceph \
	plugins/backend/cache \
	plugins/backend/compress \
	plugins/backend/encrypt plugins/backend/prefix \
	plugins/backend/readonly \
	plugins/backend/fallback \
	plugins/backend/mirror \
	plugins/backend/chaos \
	plugins/backend/throttle \
	plugins/hook/auth_basic \
	plugins/hook/auth_jwt \
	plugins/hook/auth_request \
	plugins/hook/auth_token \
	plugins/hook/events \
	plugins/hook/log_combined \
	plugins/hook/log_json \
	plugins/hook/lua \
	plugins/hook/quota \
	plugins/hook/rate_limit \
	plugins/hook/scan_clamd \
	plugins/hook/sniff \
	plugins/skeleton %D%/plugins

AM_TESTS_ENVIRONMENT = \
	srcdir='$(abs_top_srcdir)'; export srcdir; \
	SLUICE='$(abs_top_builddir)/sluice'; export SLUICE; \
	SLUICE_PLUGINS=; export SLUICE_PLUGINS; \
	for d in $(TEST_PLUGINS); do \
	  SLUICE_PLUGINS="$${SLUICE_PLUGINS:+$$SLUICE_PLUGINS:}$(abs_top_builddir)/$$d/.libs"; \
	done; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	AWS_EC2_METADATA_DISABLED=true; export AWS_EC2_METADATA_DISABLED; \
	unset PORT DATA; \
	CC='$(CC)'; export CC;

TEST_EXTENSIONS = .py .sh
PY_LOG_COMPILER = $(PYTHON)

# ---- unit tests -------------------------------------------------------------

check_LTLIBRARIES += %D%/unit/libunit.la
%C%_unit_libunit_la_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
%C%_unit_libunit_la_SOURCES = \
	%D%/unit/unit.c \
	%D%/unit/unit.h \
	%D%/unit/formlog.c \
	%D%/unit/formlog.h \
	%D%/unit/headstatus.c \
	%D%/unit/headstatus.h \
	%D%/unit/ingressclient.c \
	%D%/unit/ingresskit.c \
	%D%/unit/ingresskit.h \
	%D%/unit/askkit.c \
	%D%/unit/askkit.h \
	%D%/unit/opkit.c \
	%D%/unit/opkit.h \
	%D%/unit/requestkit.c \
	%D%/unit/requestkit.h \
	%D%/unit/watchkit.h

# These take longest, as they wait for times to pass, so they begin first.
LONG_TESTS = \
	%D%/integration/test_expiry.py \
	%D%/integration/test_limits.py \
	%D%/integration/test_names.py \
	%D%/integration/test_s3_dialects.py \
	%D%/integration/test_s3_doubt.py \
	%D%/integration/test_s3_faults.py \
	%D%/integration/test_s3_stage_faults.py \
	plugins/backend/fallback/test_backfill.py \
	plugins/backend/mirror/test_mirror_faults.py

TESTS += $(CHECK_TESTS) $(LONG_TESTS)
EXTRA_DIST += $(LONG_TESTS)

UNIT_TESTS = \
	%D%/unit/test_address \
	%D%/unit/test_arrears \
	%D%/unit/test_ask \
	%D%/unit/test_ask_faults \
	%D%/unit/test_answerheader \
	%D%/unit/test_auth_memo \
	%D%/unit/test_attributes \
	%D%/unit/test_authority \
	%D%/unit/test_backoff \
	%D%/unit/test_boundary \
	%D%/unit/test_linkcount \
	%D%/unit/test_linkid \
	%D%/unit/test_linkmark \
	%D%/unit/test_luapattern \
	%D%/unit/test_marks \
	%D%/unit/test_ownlink \
	%D%/unit/test_violation \
	%D%/unit/test_breaker \
	%D%/unit/test_buckets \
	%D%/unit/test_budget \
	%D%/unit/test_buf \
	%D%/unit/test_checks \
	%D%/unit/test_chunked \
	%D%/unit/test_chunkform \
	%D%/unit/test_cidr \
	%D%/unit/test_clientcert \
	%D%/unit/test_clamd \
	%D%/unit/test_claims \
	%D%/unit/test_clientblock \
	%D%/unit/test_clients \
	%D%/unit/test_codec \
	%D%/unit/test_config \
	%D%/unit/test_credential \
	%D%/unit/test_credentials \
	%D%/unit/test_credentials_refresh \
	%D%/unit/test_credentials_source \
	%D%/unit/test_credentials_sts \
	%D%/unit/test_cacheform \
	%D%/unit/test_cryptform \
	%D%/unit/test_cursor \
	%D%/unit/test_date \
	%D%/unit/test_digest \
	%D%/unit/test_event_body \
	%D%/unit/test_event_queue \
	%D%/unit/test_digestfield \
	%D%/unit/test_ender \
	%D%/unit/test_exchange_table \
	%D%/unit/test_failures \
	%D%/unit/test_etags \
	%D%/unit/test_expiry \
	%D%/unit/test_exposition \
	%D%/unit/test_fields \
	%D%/unit/test_filetype \
	%D%/unit/test_formdata \
	%D%/unit/test_formvectors \
	%D%/unit/test_fortify \
	%D%/unit/test_forwarded \
	%D%/unit/test_grants \
	%D%/unit/test_head \
	%D%/unit/test_headerlines \
	%D%/unit/test_headrefusal \
	%D%/unit/test_htpasswd \
	%D%/unit/test_httpc \
	%D%/unit/test_httpc_fail \
	%D%/unit/test_httpc_flow \
	%D%/unit/test_httpc_tls \
	%D%/unit/test_httpc_url \
	%D%/unit/test_idempotencykey \
	%D%/unit/test_ingress \
	%D%/unit/test_ingress_body \
	%D%/unit/test_ingress_end \
	%D%/unit/test_ingress_table \
	%D%/unit/test_jwk \
	%D%/unit/test_jwks \
	%D%/unit/test_jws \
	%D%/unit/test_intent \
	%D%/unit/test_key \
	%D%/unit/test_line \
	%D%/unit/test_listen \
	%D%/unit/test_local \
	%D%/unit/test_local_blob \
	%D%/unit/test_local_cache \
	%D%/unit/test_local_cancel \
	%D%/unit/test_local_commit \
	%D%/unit/test_local_crash \
	%D%/unit/test_local_damage \
	%D%/unit/test_local_disk \
	%D%/unit/test_local_fault \
	%D%/unit/test_local_identity \
	%D%/unit/test_local_list \
	%D%/unit/test_local_many \
	%D%/unit/test_local_orphans \
	%D%/unit/test_local_share \
	%D%/unit/test_local_stage \
	%D%/unit/test_local_start \
	%D%/unit/test_local_sync \
	%D%/unit/test_local_upgrade \
	%D%/unit/test_log \
	%D%/unit/test_log_queue \
	%D%/unit/test_meter \
	%D%/unit/test_metrics \
	%D%/unit/test_log_writer \
	%D%/unit/test_loop \
	%D%/unit/test_md5 \
	%D%/unit/test_mediatype \
	%D%/unit/test_metadata \
	%D%/unit/test_mime \
	%D%/unit/test_oncerecord \
	%D%/unit/test_op \
	%D%/unit/test_op_leave \
	%D%/unit/test_op_many \
	%D%/unit/test_op_stage \
	%D%/unit/test_operation \
	%D%/unit/test_op_turn \
	%D%/unit/test_options \
	%D%/unit/test_pagecache \
	%D%/unit/test_partheader \
	%D%/unit/test_plugin \
	%D%/unit/test_plugin_metrics \
	%D%/unit/test_profile \
	%D%/unit/test_quantity \
	%D%/unit/test_query \
	%D%/unit/test_range \
	%D%/unit/test_reach \
	%D%/unit/test_repeat \
	%D%/unit/test_request \
	%D%/unit/test_request_words \
	%D%/unit/test_route \
	%D%/unit/test_routes \
	%D%/unit/test_seen \
	%D%/unit/test_settings \
	%D%/unit/test_settings_web \
	%D%/unit/test_sha2 \
	%D%/unit/test_shuffle \
	%D%/unit/test_signature \
	%D%/unit/test_sigv4 \
	%D%/unit/test_sigv4vectors \
	%D%/unit/test_siphash \
	%D%/unit/test_skeleton \
	%D%/unit/test_sniffwire \
	%D%/unit/test_spool \
	%D%/unit/test_spool_cache \
	%D%/unit/test_spool_job \
	%D%/unit/test_structured \
	%D%/unit/test_stagebusy \
	%D%/unit/test_stagename \
	%D%/unit/test_stagerecord \
	%D%/unit/test_tally \
	%D%/unit/test_tls \
	%D%/unit/test_timer \
	%D%/unit/test_tokens \
	%D%/unit/test_tracecontext \
	%D%/unit/test_uploadhead \
	%D%/unit/test_uploadid \
	%D%/unit/test_urgent \
	%D%/unit/test_walk \
	%D%/unit/test_watch \
	%D%/unit/test_watch_read \
	%D%/unit/test_wipe \
	%D%/unit/test_wish \
	%D%/unit/test_work \
	%D%/unit/test_work_shares \
	%D%/unit/test_xml \
	%D%/unit/test_xmlchars \
	%D%/unit/test_xmlrefusal \
	%D%/unit/test_zip

if ZSTD
UNIT_TESTS += %D%/unit/test_seekable
endif
%C%_unit_test_seekable_LDADD = plugins/backend/compress/libcompress.la \
	$(LDADD)

if LUA
UNIT_TESTS += %D%/unit/test_script
endif

if SNIFF
UNIT_TESTS += %D%/unit/test_cell
endif
%C%_unit_test_cell_SOURCES = \
	%D%/unit/test_cell.c \
	plugins/hook/sniff/cell.c
%C%_unit_test_cell_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
%C%_unit_test_cell_LDADD = $(LDADD) $(SECCOMP_LIBS)

if CUNIT
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

# It loads plugins, and so has to offer what they call.
%C%_unit_test_plugin_LDFLAGS = $(AM_LDFLAGS) $(EXPORT_FLAGS)
EXTRA_%C%_unit_test_plugin_DEPENDENCIES = $(EXPORT_FILES)

# Tests that reach behind the descriptor of the backend `local`.
LOCAL_TEST_LIBS = %D%/unit/libunit.la \
	plugins/backend/local/liblocal.la $(CORE_LIBS) $(CUNIT_LIBS)
LOCAL_TEST_KIT = \
	%D%/unit/localcall.c \
	%D%/unit/localkit.c \
	%D%/unit/localkit.h
LOCAL_FAULT_KIT = \
	%D%/unit/faultkit.c \
	%D%/unit/faultkit.h

%C%_unit_test_local_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_SOURCES = \
	%D%/unit/test_local.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_cacheform_LDADD = plugins/backend/cache/libcache.la \
	plugins/lib/libwish.la $(LDADD)
%C%_unit_test_arrears_LDADD = plugins/backend/mirror/libarrears.la \
	$(LDADD)

%C%_unit_test_cryptform_LDADD = plugins/backend/encrypt/libencrypt.la \
	$(LDADD)

%C%_unit_test_local_blob_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_blob_SOURCES = \
	%D%/unit/test_local_blob.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_cache_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_cache_SOURCES = \
	%D%/unit/test_local_cache.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_cancel_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_cancel_SOURCES = \
	%D%/unit/test_local_cancel.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_commit_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_commit_SOURCES = \
	%D%/unit/test_local_commit.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_crash_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_crash_SOURCES = \
	%D%/unit/test_local_crash.c \
	$(LOCAL_TEST_KIT)

# Of tests/crashpoints.
if CUNIT
check_PROGRAMS += %D%/crashpoints/looker
endif
%C%_crashpoints_looker_LDADD = $(LOCAL_TEST_LIBS)
%C%_crashpoints_looker_SOURCES = \
	%D%/crashpoints/looker.c \
	$(LOCAL_TEST_KIT)
check_LTLIBRARIES += \
	%D%/crashpoints/nthfault.la \
	%D%/crashpoints/recorder.la
%C%_crashpoints_nthfault_la_SOURCES = %D%/crashpoints/nthfault.c
%C%_crashpoints_nthfault_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -rpath $(pkglibdir)
%C%_crashpoints_recorder_la_SOURCES = %D%/crashpoints/recorder.c
%C%_crashpoints_recorder_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -rpath $(pkglibdir)
EXTRA_DIST += \
	%D%/crashpoints/crashpoints.py \
	%D%/crashpoints/disk.py \
	%D%/crashpoints/faults.py \
	%D%/crashpoints/scenarios.py \
	%D%/crashpoints/told.py

%C%_unit_test_local_damage_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_damage_SOURCES = \
	%D%/unit/test_local_damage.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_disk_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_disk_SOURCES = \
	%D%/unit/test_local_disk.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_fault_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_fault_SOURCES = \
	%D%/unit/test_local_fault.c \
	$(LOCAL_FAULT_KIT) \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_identity_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_identity_SOURCES = \
	%D%/unit/test_local_identity.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_list_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_list_SOURCES = \
	%D%/unit/test_local_list.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_many_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_many_SOURCES = \
	%D%/unit/test_local_many.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_orphans_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_orphans_SOURCES = \
	%D%/unit/test_local_orphans.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_share_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_share_SOURCES = \
	%D%/unit/test_local_share.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_stage_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_stage_SOURCES = \
	%D%/unit/test_local_stage.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_start_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_start_SOURCES = \
	%D%/unit/test_local_start.c \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_sync_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_sync_SOURCES = \
	%D%/unit/test_local_sync.c \
	$(LOCAL_FAULT_KIT) \
	$(LOCAL_TEST_KIT)

%C%_unit_test_local_upgrade_LDADD = $(LOCAL_TEST_LIBS)
%C%_unit_test_local_upgrade_SOURCES = \
	%D%/unit/test_local_upgrade.c \
	$(LOCAL_TEST_KIT)

# This is what uses the S3 client's parts, with the kits they name.
S3_TEST_LIBS = %D%/unit/libunit.la plugins/lib/libs3.la \
	$(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_credentials_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_credentials_SOURCES = \
	%D%/unit/test_credentials.c \
	%D%/unit/credentialskit.c \
	%D%/unit/credentialskit.h \
	%D%/unit/credentialsserver.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_credentials_refresh_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_credentials_refresh_SOURCES = \
	%D%/unit/test_credentials_refresh.c \
	%D%/unit/credentialskit.c \
	%D%/unit/credentialskit.h \
	%D%/unit/credentialsserver.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_credentials_source_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_credentials_source_SOURCES = \
	%D%/unit/test_credentials_source.c \
	%D%/unit/credentialskit.c \
	%D%/unit/credentialskit.h \
	%D%/unit/credentialsserver.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_credentials_sts_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_credentials_sts_SOURCES = \
	%D%/unit/test_credentials_sts.c

%C%_unit_test_httpc_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_httpc_SOURCES = \
	%D%/unit/test_httpc.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_httpc_fail_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_httpc_fail_SOURCES = \
	%D%/unit/test_httpc_fail.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_httpc_flow_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_httpc_flow_SOURCES = \
	%D%/unit/test_httpc_flow.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_httpc_tls_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_httpc_tls_SOURCES = \
	%D%/unit/test_httpc_tls.c \
	%D%/unit/httpckit.c \
	%D%/unit/httpckit.h \
	%D%/unit/httpcserver.c

%C%_unit_test_httpc_url_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_httpc_url_SOURCES = \
	%D%/unit/test_httpc_url.c

%C%_unit_test_metadata_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_metadata_SOURCES = \
	%D%/unit/test_metadata.c

%C%_unit_test_stagebusy_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_stagebusy_SOURCES = \
	%D%/unit/test_stagebusy.c

%C%_unit_test_stagename_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_stagename_SOURCES = \
	%D%/unit/test_stagename.c

%C%_unit_test_stagerecord_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_stagerecord_SOURCES = \
	%D%/unit/test_stagerecord.c

%C%_unit_test_profile_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_profile_SOURCES = \
	%D%/unit/test_profile.c

%C%_unit_test_sigv4_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_sigv4_SOURCES = \
	%D%/unit/test_sigv4.c

%C%_unit_test_sigv4vectors_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_sigv4vectors_SOURCES = \
	%D%/unit/test_sigv4vectors.c

%C%_unit_test_wish_LDADD = plugins/lib/libwish.la $(LDADD)
%C%_unit_test_wish_SOURCES = \
	%D%/unit/test_wish.c

%C%_unit_test_spool_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_spool_SOURCES = \
	%D%/unit/test_spool.c \
	%D%/unit/spoolkit.c \
	%D%/unit/spoolkit.h

%C%_unit_test_spool_job_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_spool_job_SOURCES = \
	%D%/unit/test_spool_job.c \
	%D%/unit/spoolkit.c \
	%D%/unit/spoolkit.h

%C%_unit_test_spool_cache_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_spool_cache_SOURCES = \
	%D%/unit/test_spool_cache.c \
	%D%/unit/spoolkit.c \
	%D%/unit/spoolkit.h

%C%_unit_test_xml_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_xml_SOURCES = \
	%D%/unit/test_xml.c \
	%D%/unit/xmltold.c \
	%D%/unit/xmltold.h

%C%_unit_test_xmlchars_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_xmlchars_SOURCES = \
	%D%/unit/test_xmlchars.c

%C%_unit_test_xmlrefusal_LDADD = $(S3_TEST_LIBS)
%C%_unit_test_xmlrefusal_SOURCES = \
	%D%/unit/test_xmlrefusal.c \
	%D%/unit/xmltold.c \
	%D%/unit/xmltold.h

%C%_unit_test_auth_memo_LDADD = %D%/unit/libunit.la plugins/hook/auth_request/libauth_request.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_backoff_LDADD = %D%/unit/libunit.la plugins/hook/events/libevents.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_breaker_LDADD = %D%/unit/libunit.la plugins/hook/auth_request/libauth_request.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_buckets_LDADD = %D%/unit/libunit.la plugins/lib/librate.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_checks_LDADD = %D%/unit/libunit.la plugins/hook/auth_basic/libauth_basic.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_clamd_LDADD = %D%/unit/libunit.la plugins/hook/scan_clamd/libscan_clamd.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_claims_LDADD = %D%/unit/libunit.la plugins/hook/auth_jwt/libauth_jwt.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_clientblock_LDADD = %D%/unit/libunit.la plugins/lib/librate.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_credential_LDADD = %D%/unit/libunit.la plugins/lib/libhook.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_event_body_LDADD = %D%/unit/libunit.la plugins/hook/events/libevents.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_event_queue_LDADD = %D%/unit/libunit.la plugins/hook/events/libevents.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_failures_LDADD = %D%/unit/libunit.la plugins/hook/auth_basic/libauth_basic.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_grants_LDADD = %D%/unit/libunit.la plugins/lib/libhook.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_htpasswd_LDADD = %D%/unit/libunit.la plugins/hook/auth_basic/libauth_basic.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_jwk_LDADD = %D%/unit/libunit.la plugins/hook/auth_jwt/libauth_jwt.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_jwks_LDADD = %D%/unit/libunit.la plugins/hook/auth_jwt/libauth_jwt.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_jws_LDADD = %D%/unit/libunit.la plugins/hook/auth_jwt/libauth_jwt.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_line_LDADD = %D%/unit/libunit.la plugins/lib/liblogs.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_luapattern_LDADD = %D%/unit/libunit.la plugins/hook/lua/libluapattern.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_script_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS)
%C%_unit_test_script_LDADD = %D%/unit/libunit.la plugins/hook/lua/liblua.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_seen_LDADD = %D%/unit/libunit.la plugins/hook/auth_basic/libauth_basic.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_signature_LDADD = %D%/unit/libunit.la plugins/hook/events/libevents.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_mediatype_LDADD = %D%/unit/libunit.la plugins/hook/sniff/libsniff.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_sniffwire_LDADD = %D%/unit/libunit.la plugins/hook/sniff/libsniff.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_tokens_LDADD = %D%/unit/libunit.la plugins/hook/auth_token/libauth_token.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_watch_LDADD = %D%/unit/libunit.la plugins/lib/libhook.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_watch_read_LDADD = %D%/unit/libunit.la plugins/lib/libhook.la $(CORE_LIBS) $(CUNIT_LIBS)

%C%_unit_test_skeleton_LDADD = %D%/unit/libunit.la \
	plugins/skeleton/libskeleton.la $(CORE_LIBS) $(CUNIT_LIBS)

# ---- plugins that only tests load -------------------------------------------

# -rpath is what makes libtool build a module of what isn't installed.
TEST_PLUGIN_FLAGS = $(PLUGIN_FLAGS) -rpath $(pkglibdir)

check_LTLIBRARIES += \
	%D%/plugins/badmetric.la \
	%D%/plugins/badoption.la \
	%D%/plugins/bodyhook.la \
	%D%/plugins/broken.la \
	%D%/plugins/broken_hook.la \
	%D%/plugins/broken_layer.la \
	%D%/plugins/choicehook.la \
	%D%/plugins/clashhook.la \
	%D%/plugins/countinghook.la \
	%D%/plugins/deafhook.la \
	%D%/plugins/faultydisk.la \
	%D%/plugins/fleeting.la \
	%D%/plugins/goodbackend.la \
	%D%/plugins/goodhook.la \
	%D%/plugins/heapcount.la \
	%D%/plugins/leaver.la \
	%D%/plugins/missingentry.la \
	%D%/plugins/missingsymbol.la \
	%D%/plugins/newerminor.la \
	%D%/plugins/nosymbol.la \
	%D%/plugins/oldsize.la \
	%D%/plugins/othermajor.la \
	%D%/plugins/othername.la \
	%D%/plugins/rogue.la \
	%D%/plugins/roguehook.la \
	%D%/plugins/shortsize.la \
	%D%/plugins/stall.la \
	%D%/plugins/through.la

%C%_plugins_badmetric_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_badoption_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_bodyhook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_broken_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_broken_la_LIBADD = core/libbase.la
%C%_plugins_broken_hook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_broken_layer_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_choicehook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_clashhook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_countinghook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_deafhook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_faultydisk_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -rpath $(pkglibdir)
%C%_plugins_fleeting_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_goodbackend_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_goodhook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_heapcount_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -rpath $(pkglibdir)
%C%_plugins_leaver_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_missingentry_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_missingsymbol_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_newerminor_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_nosymbol_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_oldsize_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_othermajor_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_othername_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_rogue_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_roguehook_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_shortsize_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_stall_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_plugins_through_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)

# ---- fuzz targets -----------------------------------------------------------

# With --enable-fuzz they are libFuzzer programs (`make fuzz`); otherwise they
# replay their corpus as a test.
FUZZ_TARGETS = \
	%D%/fuzz/fuzz_arrears \
	%D%/fuzz/fuzz_baton \
	%D%/fuzz/fuzz_blob \
	%D%/fuzz/fuzz_cachecontrol \
	%D%/fuzz/fuzz_cacheform \
	%D%/fuzz/fuzz_chunked \
	%D%/fuzz/fuzz_clamd \
	%D%/fuzz/fuzz_clientcert \
	%D%/fuzz/fuzz_config \
	%D%/fuzz/fuzz_credential \
	%D%/fuzz/fuzz_crypt \
	%D%/fuzz/fuzz_cursor \
	%D%/fuzz/fuzz_formdata \
	%D%/fuzz/fuzz_forwarded \
	%D%/fuzz/fuzz_gate \
	%D%/fuzz/fuzz_head \
	%D%/fuzz/fuzz_htpasswd \
	%D%/fuzz/fuzz_jwt \
	%D%/fuzz/fuzz_luapattern \
	%D%/fuzz/fuzz_metadata \
	%D%/fuzz/fuzz_mime \
	%D%/fuzz/fuzz_ownlink \
	%D%/fuzz/fuzz_profile \
	%D%/fuzz/fuzz_query \
	%D%/fuzz/fuzz_range \
	%D%/fuzz/fuzz_retryafter \
	%D%/fuzz/fuzz_session \
	%D%/fuzz/fuzz_sniff \
	%D%/fuzz/fuzz_structured \
	%D%/fuzz/fuzz_stagerecord \
	%D%/fuzz/fuzz_tokens \
	%D%/fuzz/fuzz_tracecontext \
	%D%/fuzz/fuzz_values \
	%D%/fuzz/fuzz_xml

if ZSTD
FUZZ_TARGETS += %D%/fuzz/fuzz_seekable
endif

fuzz: $(FUZZ_TARGETS)

if FUZZ
EXTRA_PROGRAMS = $(FUZZ_TARGETS)
FUZZ_LIBS = $(CORE_LIBS)
FUZZ_FLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
else
check_LTLIBRARIES += %D%/fuzz/libreplay.la
%C%_fuzz_libreplay_la_SOURCES = %D%/fuzz/replay.c
FUZZ_LIBS = %D%/fuzz/libreplay.la $(CORE_LIBS)
FUZZ_FLAGS = $(AM_LDFLAGS)
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)
endif

%C%_fuzz_fuzz_arrears_LDADD = plugins/backend/mirror/libarrears.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_arrears_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_baton_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_baton_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_blob_LDADD = plugins/backend/local/liblocal.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_blob_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_cachecontrol_LDADD = plugins/hook/auth_request/libauth_request.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_cachecontrol_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_cacheform_LDADD = plugins/backend/cache/libcache.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_cacheform_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_chunked_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_chunked_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_clamd_LDADD = plugins/hook/scan_clamd/libscan_clamd.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_clamd_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_clientcert_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_clientcert_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_config_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_config_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_credential_LDADD = plugins/lib/libhook.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_credential_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_crypt_LDADD = plugins/backend/encrypt/libencrypt.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_crypt_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_cursor_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_cursor_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_formdata_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_formdata_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_forwarded_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_forwarded_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_gate_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_gate_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_gate_SOURCES = \
	%D%/fuzz/fuzz_gate.c \
	%D%/fuzz/gatekit.c \
	%D%/fuzz/gatekit.h \
	%D%/fuzz/gatestore.c \
	%D%/fuzz/gatestore.h \
	%D%/fuzz/gatething.c \
	%D%/fuzz/gatething.h
%C%_fuzz_fuzz_head_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_head_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_htpasswd_LDADD = plugins/hook/auth_basic/libauth_basic.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_htpasswd_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_jwt_LDADD = plugins/hook/auth_jwt/libauth_jwt.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_jwt_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_luapattern_LDADD = plugins/hook/lua/libluapattern.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_luapattern_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_metadata_LDADD = plugins/lib/libs3.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_metadata_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_stagerecord_LDADD = plugins/lib/libs3.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_stagerecord_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_sniff_LDADD = plugins/hook/sniff/libsniff.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_sniff_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_mime_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_mime_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_ownlink_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_ownlink_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_profile_LDADD = plugins/lib/libs3.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_profile_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_query_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_query_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_range_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_range_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_retryafter_LDADD = plugins/hook/events/libevents.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_retryafter_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_seekable_LDADD = plugins/backend/compress/libcompress.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_seekable_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_session_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_session_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_session_SOURCES = \
	%D%/fuzz/fuzz_session.c \
	%D%/fuzz/sessionowner.c \
	%D%/fuzz/sessionowner.h
%C%_fuzz_fuzz_structured_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_structured_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_tokens_LDADD = plugins/hook/auth_token/libauth_token.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_tokens_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_tracecontext_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_tracecontext_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_values_LDADD = $(FUZZ_LIBS)
%C%_fuzz_fuzz_values_LDFLAGS = $(FUZZ_FLAGS)
%C%_fuzz_fuzz_xml_LDADD = plugins/lib/libs3.la $(FUZZ_LIBS)
%C%_fuzz_fuzz_xml_LDFLAGS = $(FUZZ_FLAGS)

EXTRA_DIST += %D%/fuzz/corpus %D%/fuzz/long

# ---- simulation -------------------------------------------------------------

# The program has its own words for libc's clock, threads and waits, which the
# gateway's libraries and plugins call.
check_PROGRAMS += %D%/sim/sim
SIM_TESTS = %D%/sim/sim
TESTS += $(SIM_TESTS)
EXTRA_DIST += %D%/sim/found %D%/sim/sim.syms
%C%_sim_sim_CPPFLAGS = $(AM_CPPFLAGS)
%C%_sim_sim_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) -fvisibility=default
%C%_sim_sim_LDFLAGS = $(AM_LDFLAGS) $(EXPORT_FLAGS) \
	-Wl,--dynamic-list=$(srcdir)/%D%/sim/sim.syms \
	-Wl,--wrap=budget_take
%C%_sim_sim_LDADD = $(CORE_LIBS)
EXTRA_%C%_sim_sim_DEPENDENCIES = $(EXPORT_FILES) %D%/sim/sim.syms \
	%D%/sim/simstore.la plugins/backend/local/local.la
%C%_sim_sim_SOURCES = \
	%D%/sim/acts.c \
	%D%/sim/acts.h \
	%D%/sim/acts_more.c \
	%D%/sim/chance.c \
	%D%/sim/chance.h \
	%D%/sim/client.c \
	%D%/sim/client.h \
	%D%/sim/day.c \
	%D%/sim/day.h \
	%D%/sim/history.c \
	%D%/sim/history.h \
	%D%/sim/libc.c \
	%D%/sim/libc.h \
	%D%/sim/schedule.c \
	%D%/sim/schedule.h \
	%D%/sim/sim.c

check_LTLIBRARIES += %D%/sim/simstore.la
%C%_sim_simstore_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/plugins/skeleton \
	-I$(srcdir)/%D%/sim
%C%_sim_simstore_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_sim_simstore_la_LDFLAGS = $(TEST_PLUGIN_FLAGS)
%C%_sim_simstore_la_SOURCES = \
	%D%/sim/simstore.c \
	%D%/sim/simstore.h \
	%D%/sim/simstore_change.c \
	plugins/skeleton/shelf.c \
	plugins/skeleton/shelf.h

# ---- scripts ----------------------------------------------------------------

S3_TESTS = \
	%D%/s3/test_boto3.py \
	%D%/s3/test_dialects.py \
	%D%/s3/test_emulator.py \
	%D%/s3/test_faults.py \
	%D%/s3/test_listing.py \
	%D%/s3/test_operations.py \
	%D%/s3/test_rgw.py \
	%D%/s3/test_signature.py

TESTS += $(S3_TESTS)
EXTRA_DIST += $(S3_TESTS)

CHECKS = \
	%D%/checks/abi.sh \
	%D%/checks/banned.sh \
	%D%/checks/circles.py \
	%D%/checks/fails.sh \
	%D%/checks/globals.sh \
	%D%/checks/headless.sh \
	%D%/checks/heads.sh \
	%D%/checks/layers.sh \
	%D%/checks/layout.sh \
	%D%/checks/lists.sh \
	%D%/checks/locks.sh \
	%D%/checks/openapi.sh \
	%D%/checks/options.sh \
	%D%/checks/references.py \
	%D%/checks/shell.sh \
	%D%/checks/size.sh \
	%D%/checks/states.sh \
	%D%/checks/statics.sh \
	%D%/checks/symbols.sh \
	%D%/checks/words.sh

TESTS += $(CHECKS)
EXTRA_DIST += $(CHECKS)

INTEGRATION_TESTS = \
	%D%/integration/test_admin.py \
	%D%/integration/test_answers.py \
	%D%/integration/test_archive.py \
	%D%/integration/test_attacks.py \
	%D%/integration/test_attacks_objects.py \
	%D%/integration/test_bench.py \
	%D%/integration/test_check.py \
	%D%/integration/test_choice.py \
	%D%/integration/test_clients.py \
	%D%/integration/test_config.py \
	%D%/integration/test_confine.py \
	%D%/integration/test_console.py \
	%D%/integration/test_connections.py \
	%D%/integration/test_container.py \
	%D%/integration/test_copy.py \
	%D%/integration/test_cors.py \
	%D%/integration/test_costs.py \
	%D%/integration/test_crash.py \
	%D%/integration/test_ctl.py \
	%D%/integration/test_cursors.py \
	%D%/integration/test_digests.py \
	%D%/integration/test_doctor.py \
	%D%/integration/test_enders.py \
	%D%/integration/test_expiry_sweep.py \
	%D%/integration/test_explain.py \
	%D%/integration/test_exposed.py \
	%D%/integration/test_folder.py \
	%D%/integration/test_forms.py \
	%D%/integration/test_hardening.py \
	%D%/integration/test_hook_bodies.py \
	%D%/integration/test_idempotency.py \
	%D%/integration/test_ingress.py \
	%D%/integration/test_layers.py \
	%D%/integration/test_links.py \
	%D%/integration/test_links_asked.py \
	%D%/integration/test_links_faults.py \
	%D%/integration/test_lingering.py \
	%D%/integration/test_listen.py \
	%D%/integration/test_local.py \
	%D%/integration/test_log.py \
	%D%/integration/test_many.py \
	%D%/integration/test_metrics.py \
	%D%/integration/test_plugin_metrics.py \
	%D%/integration/test_migrate.py \
	%D%/integration/test_mixed.py \
	%D%/integration/test_objects.py \
	%D%/integration/test_own_links.py \
	%D%/integration/test_ownurls.py \
	%D%/integration/test_presigned.py \
	%D%/integration/test_proxies.py \
	%D%/integration/test_ready.py \
	%D%/integration/test_reload.py \
	%D%/integration/test_rogue.py \
	%D%/integration/test_routes.py \
	%D%/integration/test_s3_away.py \
	%D%/integration/test_s3_awscli.py \
	%D%/integration/test_s3_ceph.py \
	%D%/integration/test_s3_early.py \
	%D%/integration/test_s3_keys.py \
	%D%/integration/test_s3_headers.py \
	%D%/integration/test_s3_leftovers.py \
	%D%/integration/test_s3_links.py \
	%D%/integration/test_s3_lists.py \
	%D%/integration/test_s3_objects.py \
	%D%/integration/test_s3_options.py \
	%D%/integration/test_s3_reuse.py \
	%D%/integration/test_s3_servers.py \
	%D%/integration/test_s3_stage_ends.py \
	%D%/integration/test_s3_stages.py \
	%D%/integration/test_s3_strangers.py \
	%D%/integration/test_s3_swift.py \
	%D%/integration/test_signals.py \
	%D%/integration/test_schema.py \
	%D%/integration/test_secrets.py \
	%D%/integration/test_shares.py \
	%D%/integration/test_shipped_metrics.py \
	%D%/integration/test_start.py \
	%D%/integration/test_storm.py \
	%D%/integration/test_sweep.py \
	%D%/integration/test_takeover.py \
	%D%/integration/test_tls.py \
	%D%/integration/test_tls_clients.py \
	%D%/integration/test_tls_mistakes.py \
	%D%/integration/test_tls_reload.py \
	%D%/integration/test_tls_rules.py \
	%D%/integration/test_trace.py \
	%D%/integration/test_uploads.py \
	%D%/integration/test_upgrade.py

TESTS += $(INTEGRATION_TESTS)
EXTRA_DIST += $(INTEGRATION_TESTS)

ORACLE_TESTS = \
	%D%/oracle/test_linear.py \
	%D%/oracle/test_model.py \
	%D%/oracle/test_once.py \
	%D%/oracle/test_register.py

TESTS += $(ORACLE_TESTS)
EXTRA_DIST += $(ORACLE_TESTS)

E2E_TESTS = \
	%D%/differential/differential.py \
	%D%/e2e/browser.py \
	%D%/e2e/endpoints.sh \
	%D%/e2e/fronts.py \
	%D%/e2e/links.py \
	%D%/e2e/prometheus.py

TESTS += $(E2E_TESTS)
EXTRA_DIST += $(E2E_TESTS)

# Other clients of resumable uploads, which .ci/run fetches and runs.
EXTRA_DIST += \
	%D%/e2e/by_tus_js.mjs \
	%D%/e2e/by_tuspy.py \
	%D%/e2e/clients \
	%D%/e2e/cutter.py \
	%D%/e2e/uploads.py

SDK_TESTS = \
	%D%/sdk/test_abi.py \
	%D%/sdk/test_guide.py \
	%D%/sdk/test_layer_guide.py \
	%D%/sdk/test_outside.py

TESTS += $(SDK_TESTS)
EXTRA_DIST += $(SDK_TESTS)

CHECK_TESTS = \
	%D%/check/test_layer_check.py \
	%D%/check/test_plugin_check.py \
	%D%/check/test_shipped_hooks.py

EXTRA_DIST += $(CHECK_TESTS)

HOOK_TESTS = \
	plugins/hook/auth_basic/test_auth_basic.py \
	plugins/hook/auth_jwt/test_auth_jwt.py \
	plugins/hook/auth_jwt/test_auth_jwt_attacks.py \
	plugins/hook/auth_jwt/test_auth_jwt_keys.py \
	plugins/hook/auth_request/test_auth_request.py \
	plugins/hook/auth_request/test_auth_request_cache.py \
	plugins/hook/auth_request/test_auth_request_end.py \
	plugins/hook/auth_request/test_auth_request_start.py \
	plugins/hook/auth_token/test_auth_token.py \
	plugins/hook/events/test_events.py \
	plugins/hook/events/test_events_crash.py \
	plugins/hook/events/test_events_leave.py \
	plugins/hook/events/test_events_order.py \
	plugins/hook/events/test_events_retry.py \
	plugins/hook/events/test_events_start.py \
	plugins/hook/log_combined/test_log_combined.py \
	plugins/hook/log_json/test_log_json.py \
	plugins/hook/lua/test_lua.py \
	plugins/hook/lua/test_lua_limits.py \
	plugins/hook/quota/test_quota.py \
	plugins/hook/rate_limit/test_rate_limit.py \
	plugins/hook/scan_clamd/test_scan_clamd.py \
	plugins/hook/sniff/test_sniff.py \
	plugins/hook/sniff/test_sniff_helpers.py \
	plugins/hook/sniff/test_sniff_types.py

TESTS += $(HOOK_TESTS)
EXTRA_DIST += $(HOOK_TESTS)

LAYER_TESTS = \
	plugins/backend/cache/test_cache.py \
	plugins/backend/cache/test_cache_disk.py \
	plugins/backend/cache/test_cache_s3.py \
	plugins/backend/cache/test_cache_storm.py \
	plugins/backend/fallback/test_fallback.py \
	plugins/backend/fallback/test_fallback_s3.py \
	plugins/backend/mirror/test_mirror.py \
	plugins/backend/chaos/test_chaos.py \
	plugins/backend/throttle/test_throttle.py \
	plugins/backend/compress/test_compress.py \
	plugins/backend/compress/test_compress_s3.py \
	plugins/backend/encrypt/test_encrypt.py \
	plugins/backend/prefix/test_prefix.py \
	plugins/backend/readonly/test_readonly.py

TESTS += $(LAYER_TESTS)
EXTRA_DIST += $(LAYER_TESTS) plugins/backend/encrypt/unseal.py \
	plugins/backend/compress/compresskit.py \
	plugins/backend/compress/seekread.py \
	plugins/backend/cache/cachekit.py \
	plugins/backend/mirror/mirrorkit.py

EXTRA_DIST += \
	%D%/bench/capacity \
	%D%/bench/connections.py \
	%D%/bench/figures.py \
	%D%/bench/hooks.py \
	%D%/bench/instructions \
	%D%/bench/instructions.txt \
	%D%/bench/measure.py \
	%D%/bench/objects.py \
	%D%/bench/memory.py \
	%D%/bench/peers/__init__.py \
	%D%/bench/peers/apache.py \
	%D%/bench/peers/lighttpd.py \
	%D%/bench/peers/nginx.py \
	%D%/bench/peers/peer.py \
	%D%/bench/peers/python.py \
	%D%/bench/peers/rclone.py \
	%D%/bench/peers/rgw.py \
	%D%/bench/peers/service.py \
	%D%/bench/peers/sluice.py \
	%D%/bench/plot.py \
	%D%/bench/report.py \
	%D%/bench/run \
	%D%/bench/s3.py \
	%D%/bench/uploads.py \
	%D%/bench/special.py \
	%D%/bench/stock.py \
	%D%/bench/works.py \
	%D%/checks/circles.txt \
	%D%/checks/headless.txt \
	%D%/checks/kit \
	%D%/checks/names \
	%D%/checks/objects.py \
	%D%/differential/behind.py \
	%D%/differential/classes.py \
	%D%/differential/compare.py \
	%D%/differential/downgrade.py \
	%D%/differential/echo.go \
	%D%/differential/echo.js \
	%D%/differential/origins.py \
	%D%/differential/run \
	%D%/differential/streams.py \
	%D%/differential/varnish.vcl \
	%D%/differential/wire.py \
	%D%/e2e/chromium.py \
	%D%/e2e/console.py \
	%D%/e2e/console_acts.py \
	%D%/e2e/console_look.py \
	%D%/e2e/console_pictures.py \
	%D%/e2e/console_refused.py \
	%D%/e2e/console_sign_in.py \
	%D%/e2e/console_uploads.py \
	%D%/e2e/consolekit.py \
	%D%/e2e/crash.py \
	%D%/e2e/drill.py \
	%D%/e2e/firefox.py \
	%D%/e2e/frontkit.py \
	%D%/e2e/issuer.py \
	%D%/e2e/migrate.py \
	%D%/integration/bucket.py \
	%D%/integration/guards.py \
	%D%/integration/kit.py \
	%D%/integration/expirykit.py \
	%D%/integration/linkskit.py \
	%D%/integration/metricskit.py \
	%D%/integration/migratekit.py \
	%D%/integration/objectskit.py \
	%D%/integration/ways.py \
	%D%/integration/names.py \
	%D%/integration/relay.py \
	%D%/integration/service.py \
	%D%/integration/tlskit.py \
	%D%/integration/upgradekit.py \
	%D%/e2e/container \
	%D%/e2e/newcomer \
	%D%/e2e/one_key.py \
	%D%/e2e/overload.py \
	%D%/e2e/soak.py \
	%D%/e2e/packages \
	%D%/e2e/openapi/client.py \
	%D%/e2e/openapi/client.ts \
	%D%/e2e/openapi/hooks.py \
	%D%/e2e/openapi/package.json \
	%D%/e2e/openapi/python.yaml \
	%D%/e2e/openapi/requirements.txt \
	%D%/e2e/openapi/run \
	%D%/e2e/openapi/schemathesis.toml \
	%D%/model/run \
	%D%/model/sluice.tla \
	%D%/oracle/__init__.py \
	%D%/oracle/carry.py \
	%D%/oracle/client.py \
	%D%/oracle/events.py \
	%D%/oracle/linear.py \
	%D%/oracle/links.py \
	%D%/oracle/load.py \
	%D%/oracle/measure.py \
	%D%/oracle/objects.py \
	%D%/oracle/once.py \
	%D%/oracle/record.py \
	%D%/oracle/register.py \
	%D%/oracle/stages.py \
	%D%/ports/aarch64 \
	%D%/ports/debian \
	%D%/ports/musl \
	%D%/ports/only-reads \
	%D%/ports/unit.c \
	%D%/coverage \
	%D%/tsan.supp \
	%D%/s3/acts.py \
	%D%/s3/client.py \
	%D%/s3/emulator/__init__.py \
	%D%/s3/emulator/__main__.py \
	%D%/s3/emulator/access.py \
	%D%/s3/emulator/buckets.py \
	%D%/s3/emulator/call.py \
	%D%/s3/emulator/checks.py \
	%D%/s3/emulator/control.py \
	%D%/s3/emulator/copies.py \
	%D%/s3/emulator/dialect.py \
	%D%/s3/emulator/encryption.py \
	%D%/s3/emulator/errors.py \
	%D%/s3/emulator/faults.py \
	%D%/s3/emulator/listing.py \
	%D%/s3/emulator/message.py \
	%D%/s3/emulator/multipart.py \
	%D%/s3/emulator/objects.py \
	%D%/s3/emulator/operations.py \
	%D%/s3/emulator/payload.py \
	%D%/s3/emulator/reading.py \
	%D%/s3/emulator/rules.py \
	%D%/s3/emulator/server.py \
	%D%/s3/emulator/signature.py \
	%D%/s3/emulator/store.py \
	%D%/s3/emulator/table_global.py \
	%D%/s3/emulator/table_providers.py \
	%D%/s3/kit.py \
	%D%/s3/reader.py \
	%D%/s3/s3-server \
	%D%/s3/servers \
	%D%/s3/swift.py \
	%D%/abi/v1/door.c \
	%D%/abi/v1/functions \
	%D%/abi/v1/layout.c \
	%D%/abi/v1/plugin.h \
	%D%/abi/v1/shelf.c \
	%D%/check/conform.py \
	%D%/sdk/languages/go.mod \
	%D%/sdk/languages/keep.rs \
	%D%/sdk/languages/sieve.cc \
	%D%/sdk/languages/tally.c \
	%D%/sdk/languages/tally.go \
	%D%/sdk/test_languages.py \
	%D%/sdk/later.cc \
	%D%/sdk/guide.py \
	%D%/sdk/outside.py \
	%D%/bench/client.c \
	%D%/bench/client.h \
	%D%/bench/client_plan.c \
	%D%/bench/client_wire.c \
	%D%/bench/load.c \
	%D%/plugins/boxes.h \
	%D%/plugins/broken.h \
	%D%/plugins/broken_change.h \
	%D%/plugins/broken_link.h \
	%D%/plugins/broken_list.h \
	%D%/plugins/broken_stage.h \
	%D%/plugins/entries.h
