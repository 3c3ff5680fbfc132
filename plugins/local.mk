# SPDX-License-Identifier: MIT
#
# Plugins are modules that take sluice_*() from the program that loads them and
# carry their own copy of core/base.

PLUGIN_FLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/%D%/plugin.syms
PLUGIN_FILES = %D%/plugin.syms

EXTRA_DIST += %D%/plugin.syms

# ---- lib: an HTTP client ----------------------------------------------------

noinst_LTLIBRARIES += %D%/lib/libhttpc.la
%C%_lib_libhttpc_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_lib_libhttpc_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(EVENT_CFLAGS)
%C%_lib_libhttpc_la_LIBADD = $(CURL_LIBS) $(EVENT_LIBS)
%C%_lib_libhttpc_la_SOURCES = \
	%D%/lib/httpc.c \
	%D%/lib/httpc.h \
	%D%/lib/httpc_answer.c \
	%D%/lib/httpc_call.c \
	%D%/lib/httpc_easy.c \
	%D%/lib/httpc_private.h \
	%D%/lib/httpc_url.c

# ---- lib: operations that a layer keeps ------------------------------------

noinst_LTLIBRARIES += %D%/lib/libwish.la
%C%_lib_libwish_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_lib_libwish_la_SOURCES = \
	%D%/lib/wish.c \
	%D%/lib/wish.h

# ---- lib: what the S3 plugins share -----------------------------------------

noinst_LTLIBRARIES += %D%/lib/libs3.la
%C%_lib_libs3_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/s3
%C%_lib_libs3_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(EXPAT_CFLAGS) $(EVENT_CFLAGS) \
	$(JANSSON_CFLAGS)
%C%_lib_libs3_la_LIBADD = %D%/lib/libhttpc.la $(EXPAT_LIBS) $(EVENT_LIBS) \
	$(JANSSON_LIBS) $(CRYPTO_LIBS)
%C%_lib_libs3_la_SOURCES = \
	%D%/lib/exposure_tell.c \
	%D%/lib/exposure_tell.h \
	%D%/lib/s3/bucket.c \
	%D%/lib/s3/call.c \
	%D%/lib/s3/call.h \
	%D%/lib/s3/call_correct.c \
	%D%/lib/s3/call_private.h \
	%D%/lib/s3/chore.c \
	%D%/lib/s3/client.c \
	%D%/lib/s3/client.h \
	%D%/lib/s3/complete.c \
	%D%/lib/s3/copy.c \
	%D%/lib/s3/copy_source.c \
	%D%/lib/s3/copy_source.h \
	%D%/lib/s3/credentials.c \
	%D%/lib/s3/credentials.h \
	%D%/lib/s3/credentials_container.c \
	%D%/lib/s3/credentials_fetch.c \
	%D%/lib/s3/credentials_fetch.h \
	%D%/lib/s3/credentials_file.c \
	%D%/lib/s3/credentials_first.c \
	%D%/lib/s3/credentials_imds.c \
	%D%/lib/s3/credentials_json.c \
	%D%/lib/s3/credentials_refresh.c \
	%D%/lib/s3/credentials_refresh.h \
	%D%/lib/s3/credentials_source.c \
	%D%/lib/s3/credentials_source.h \
	%D%/lib/s3/credentials_sts.c \
	%D%/lib/s3/credentials_sts.h \
	%D%/lib/s3/credentials_token.c \
	%D%/lib/s3/credentials_url.c \
	%D%/lib/s3/credentials_watch.c \
	%D%/lib/s3/credentials_watch.h \
	%D%/lib/s3/credentials_web.c \
	%D%/lib/s3/dialect.h \
	%D%/lib/s3/eraser.c \
	%D%/lib/s3/eraser.h \
	%D%/lib/s3/error_class.c \
	%D%/lib/s3/get.c \
	%D%/lib/s3/leftovers.c \
	%D%/lib/s3/leftovers.h \
	%D%/lib/s3/list.c \
	%D%/lib/s3/listing.c \
	%D%/lib/s3/listing.h \
	%D%/lib/s3/many.c \
	%D%/lib/s3/meta.c \
	%D%/lib/s3/metadata.c \
	%D%/lib/s3/metadata.h \
	%D%/lib/s3/early.c \
	%D%/lib/s3/early.h \
	%D%/lib/s3/multipart.c \
	%D%/lib/s3/multipart.h \
	%D%/lib/s3/object.c \
	%D%/lib/s3/presign.c \
	%D%/lib/s3/profile.c \
	%D%/lib/s3/profile.h \
	%D%/lib/s3/put.c \
	%D%/lib/s3/put.h \
	%D%/lib/s3/reconcile.c \
	%D%/lib/s3/reconcile.h \
	%D%/lib/s3/s3.h \
	%D%/lib/s3/send.c \
	%D%/lib/s3/sigv4.c \
	%D%/lib/s3/sigv4.h \
	%D%/lib/s3/single.c \
	%D%/lib/s3/stagefetch.c \
	%D%/lib/s3/stagefetch.h \
	%D%/lib/s3/stagebusy.c \
	%D%/lib/s3/stagebusy.h \
	%D%/lib/s3/stagename.c \
	%D%/lib/s3/stagename.h \
	%D%/lib/s3/stageread.c \
	%D%/lib/s3/stageread.h \
	%D%/lib/s3/stagerecord.c \
	%D%/lib/s3/stagerecord.h \
	%D%/lib/s3/stagewrite.c \
	%D%/lib/s3/stagewrite.h \
	%D%/lib/s3/staging.c \
	%D%/lib/s3/staging.h \
	%D%/lib/s3/staging_bytes.c \
	%D%/lib/s3/staging_commit.c \
	%D%/lib/s3/staging_get.c \
	%D%/lib/s3/staging_save.c \
	%D%/lib/s3/staging_sweep.c \
	%D%/lib/s3/sweep.c \
	%D%/lib/s3/task.h \
	%D%/lib/s3/xml.c \
	%D%/lib/s3/xml.h \
	%D%/lib/s3/xmlchars.c \
	%D%/lib/s3/xmlchars.h \
	%D%/lib/s3/xmlpage.c \
	%D%/lib/s3/xmlpage.h \
	%D%/lib/s3/xmlschema.c \
	%D%/lib/s3/xmlschema.h \
	%D%/lib/s3/xmlvalue.c \
	%D%/lib/s3/xmlvalue.h \
	%D%/lib/spool.c \
	%D%/lib/spool.h \
	%D%/lib/spool_cache.c \
	%D%/lib/spool_cache.h \
	%D%/lib/spool_file.c \
	%D%/lib/spool_private.h \
	%D%/lib/spool_read.c

# ---- lib: what hooks that know people share ---------------------------------

noinst_LTLIBRARIES += %D%/lib/libhook.la
%C%_lib_libhook_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook
%C%_lib_libhook_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
%C%_lib_libhook_la_LIBADD = $(EVENT_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
%C%_lib_libhook_la_SOURCES = \
	%D%/lib/hook/challenge.c \
	%D%/lib/hook/challenge.h \
	%D%/lib/hook/credential.c \
	%D%/lib/hook/credential.h \
	%D%/lib/exposure_tell.c \
	%D%/lib/exposure_tell.h \
	%D%/lib/hook/grants.c \
	%D%/lib/hook/grants.h \
	%D%/lib/hook/watch.c \
	%D%/lib/hook/watch.h

# ---- lib: what hooks that count clients share -------------------------------

noinst_LTLIBRARIES += %D%/lib/librate.la
%C%_lib_librate_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook
%C%_lib_librate_la_SOURCES = \
	%D%/lib/hook/buckets.c \
	%D%/lib/hook/buckets.h \
	%D%/lib/hook/clientblock.c \
	%D%/lib/hook/clientblock.h

# ---- lib: what hooks that log requests share --------------------------------

noinst_LTLIBRARIES += %D%/lib/liblogs.la
%C%_lib_liblogs_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/logs
%C%_lib_liblogs_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
%C%_lib_liblogs_la_LIBADD = $(EVENT_LIBS) $(JANSSON_LIBS)
%C%_lib_liblogs_la_SOURCES = \
	%D%/lib/logs/access.c \
	%D%/lib/logs/access.h \
	%D%/lib/logs/accesslog.c \
	%D%/lib/logs/accesslog.h \
	%D%/lib/logs/journal.c \
	%D%/lib/logs/journal.h \
	%D%/lib/logs/journal_private.h \
	%D%/lib/logs/journal_write.c \
	%D%/lib/logs/line.c \
	%D%/lib/logs/line.h \
	%D%/lib/logs/sink.c \
	%D%/lib/logs/sink.h

# ---- backend/{b2,ceph,minio,r2,s3}: options and a dialect each --------------

pkglib_LTLIBRARIES += %D%/backend/b2/b2.la
%C%_backend_b2_b2_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_b2_b2_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_b2_b2_la_LIBADD = %D%/lib/libs3.la core/libbase.la
EXTRA_%C%_backend_b2_b2_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_b2_b2_la_SOURCES = %D%/backend/b2/b2.c

pkglib_LTLIBRARIES += %D%/backend/ceph/ceph.la
%C%_backend_ceph_ceph_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_ceph_ceph_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_ceph_ceph_la_LIBADD = %D%/lib/libs3.la core/libbase.la
EXTRA_%C%_backend_ceph_ceph_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_ceph_ceph_la_SOURCES = %D%/backend/ceph/ceph.c

pkglib_LTLIBRARIES += %D%/backend/minio/minio.la
%C%_backend_minio_minio_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_minio_minio_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_minio_minio_la_LIBADD = %D%/lib/libs3.la core/libbase.la
EXTRA_%C%_backend_minio_minio_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_minio_minio_la_SOURCES = %D%/backend/minio/minio.c

pkglib_LTLIBRARIES += %D%/backend/r2/r2.la
%C%_backend_r2_r2_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_r2_r2_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_r2_r2_la_LIBADD = %D%/lib/libs3.la core/libbase.la
EXTRA_%C%_backend_r2_r2_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_r2_r2_la_SOURCES = %D%/backend/r2/r2.c

pkglib_LTLIBRARIES += %D%/backend/s3/s3.la
%C%_backend_s3_s3_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_s3_s3_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_s3_s3_la_LIBADD = %D%/lib/libs3.la core/libbase.la
EXTRA_%C%_backend_s3_s3_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_s3_s3_la_SOURCES = %D%/backend/s3/s3.c

# ---- backend/local ----------------------------------------------------------

# A library of its own, so that unit tests can link it.
noinst_LTLIBRARIES += %D%/backend/local/liblocal.la
%C%_backend_local_liblocal_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_local_liblocal_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_backend_local_liblocal_la_LIBADD = $(SQLITE_LIBS)
%C%_backend_local_liblocal_la_SOURCES = \
	%D%/backend/local/backup.c \
	%D%/backend/local/backup.h \
	%D%/backend/local/blob.c \
	%D%/backend/local/blob.h \
	%D%/backend/local/cache.c \
	%D%/backend/local/cache.h \
	%D%/backend/local/census.c \
	%D%/backend/local/census.h \
	%D%/backend/local/checker.c \
	%D%/backend/local/checker.h \
	%D%/backend/local/checker_bad.c \
	%D%/backend/local/checker_rows.c \
	%D%/backend/local/checker_strays.c \
	%D%/backend/local/chore.c \
	%D%/backend/local/chore.h \
	%D%/backend/local/copier.c \
	%D%/backend/local/copier.h \
	%D%/backend/local/datadir.c \
	%D%/backend/local/datadir.h \
	%D%/backend/local/filecopy.c \
	%D%/backend/local/filecopy.h \
	%D%/backend/local/folder.c \
	%D%/backend/local/folder.h \
	%D%/backend/local/garbage.c \
	%D%/backend/local/garbage.h \
	%D%/backend/local/health.c \
	%D%/backend/local/health.h \
	%D%/backend/local/hold.c \
	%D%/backend/local/hold.h \
	%D%/backend/local/identity.c \
	%D%/backend/local/identity.h \
	%D%/backend/local/index.c \
	%D%/backend/local/index.h \
	%D%/backend/local/ledger.c \
	%D%/backend/local/ledger.h \
	%D%/backend/local/lister.c \
	%D%/backend/local/lister.h \
	%D%/backend/local/local.c \
	%D%/backend/local/local.h \
	%D%/backend/local/many.c \
	%D%/backend/local/many.h \
	%D%/backend/local/mirror.c \
	%D%/backend/local/mirror.h \
	%D%/backend/local/reader.c \
	%D%/backend/local/reader.h \
	%D%/backend/local/recover.c \
	%D%/backend/local/recover.h \
	%D%/backend/local/row.c \
	%D%/backend/local/row.h \
	%D%/backend/local/salvage.c \
	%D%/backend/local/salvage.h \
	%D%/backend/local/schema.c \
	%D%/backend/local/schema.h \
	%D%/backend/local/seats.c \
	%D%/backend/local/seats.h \
	%D%/backend/local/share.c \
	%D%/backend/local/share.h \
	%D%/backend/local/shm.c \
	%D%/backend/local/shm.h \
	%D%/backend/local/snapshot.c \
	%D%/backend/local/snapshot.h \
	%D%/backend/local/stage.c \
	%D%/backend/local/stage.h \
	%D%/backend/local/stager.c \
	%D%/backend/local/stager.h \
	%D%/backend/local/store.c \
	%D%/backend/local/store.h \
	%D%/backend/local/strays.c \
	%D%/backend/local/strays.h \
	%D%/backend/local/sweep.c \
	%D%/backend/local/sweep.h \
	%D%/backend/local/sweeper.c \
	%D%/backend/local/sweeper.h \
	%D%/backend/local/task.c \
	%D%/backend/local/transaction.c \
	%D%/backend/local/transaction.h \
	%D%/backend/local/uploader.c \
	%D%/backend/local/uploader.h \
	%D%/backend/local/writer.c \
	%D%/backend/local/writer.h

pkglib_LTLIBRARIES += %D%/backend/local/local.la
%C%_backend_local_local_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_local_local_la_LIBADD = \
	%D%/backend/local/liblocal.la core/libbase.la
EXTRA_%C%_backend_local_local_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_local_local_la_SOURCES =

# ---- backend/compress, a layer, where there is zstd --------------------------

if ZSTD
noinst_LTLIBRARIES += %D%/backend/compress/libcompress.la
%C%_backend_compress_libcompress_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_compress_libcompress_la_CFLAGS = $(AM_CFLAGS) $(ZSTD_CFLAGS)
%C%_backend_compress_libcompress_la_LIBADD = $(ZSTD_LIBS)
%C%_backend_compress_libcompress_la_SOURCES = \
	%D%/backend/compress/compress.c \
	%D%/backend/compress/compress.h \
	%D%/backend/compress/compress_find.c \
	%D%/backend/compress/compress_get.c \
	%D%/backend/compress/compress_get.h \
	%D%/backend/compress/compress_list.c \
	%D%/backend/compress/compress_put.c \
	%D%/backend/compress/seekable.c \
	%D%/backend/compress/seekable.h

pkglib_LTLIBRARIES += %D%/backend/compress/compress.la
%C%_backend_compress_compress_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_compress_compress_la_LIBADD = \
	%D%/backend/compress/libcompress.la core/libbase.la
EXTRA_%C%_backend_compress_compress_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_compress_compress_la_SOURCES =
endif ZSTD

# ---- backend/encrypt, a layer -----------------------------------------------

noinst_LTLIBRARIES += %D%/backend/encrypt/libencrypt.la
%C%_backend_encrypt_libencrypt_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_encrypt_libencrypt_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
%C%_backend_encrypt_libencrypt_la_LIBADD = $(CRYPTO_LIBS)
%C%_backend_encrypt_libencrypt_la_SOURCES = \
	%D%/backend/encrypt/cryptform.c \
	%D%/backend/encrypt/cryptform.h \
	%D%/backend/encrypt/encrypt.c \
	%D%/backend/encrypt/encrypt.h \
	%D%/backend/encrypt/encrypt_get.c \
	%D%/backend/encrypt/encrypt_name.c \
	%D%/backend/encrypt/encrypt_put.c \
	%D%/backend/encrypt/keyfile.c \
	%D%/backend/encrypt/keyfile.h

pkglib_LTLIBRARIES += %D%/backend/encrypt/encrypt.la
%C%_backend_encrypt_encrypt_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_encrypt_encrypt_la_LIBADD = \
	%D%/backend/encrypt/libencrypt.la core/libbase.la
EXTRA_%C%_backend_encrypt_encrypt_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_encrypt_encrypt_la_SOURCES =

# ---- backend/prefix, a layer ------------------------------------------------

pkglib_LTLIBRARIES += %D%/backend/prefix/prefix.la
%C%_backend_prefix_prefix_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_prefix_prefix_la_LDFLAGS = $(PLUGIN_FLAGS)
EXTRA_%C%_backend_prefix_prefix_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_prefix_prefix_la_SOURCES = %D%/backend/prefix/prefix.c

# ---- backend/readonly, a layer ----------------------------------------------

pkglib_LTLIBRARIES += %D%/backend/readonly/readonly.la
%C%_backend_readonly_readonly_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_readonly_readonly_la_LDFLAGS = $(PLUGIN_FLAGS)
EXTRA_%C%_backend_readonly_readonly_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_readonly_readonly_la_SOURCES = %D%/backend/readonly/readonly.c

# ---- backend/throttle, a layer ----------------------------------------------------

pkglib_LTLIBRARIES += %D%/backend/throttle/throttle.la
%C%_backend_throttle_throttle_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_throttle_throttle_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_backend_throttle_throttle_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_throttle_throttle_la_LIBADD = %D%/lib/libwish.la core/libbase.la $(EVENT_LIBS)
EXTRA_%C%_backend_throttle_throttle_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_throttle_throttle_la_SOURCES = %D%/backend/throttle/throttle.c

# ---- backend/cache, a layer -------------------------------------------------

noinst_LTLIBRARIES += %D%/backend/cache/libcache.la
%C%_backend_cache_libcache_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_cache_libcache_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_backend_cache_libcache_la_LIBADD = $(EVENT_LIBS)
%C%_backend_cache_libcache_la_SOURCES = \
	%D%/backend/cache/cache.c \
	%D%/backend/cache/cachebody.h \
	%D%/backend/cache/cachedir.c \
	%D%/backend/cache/cachedir.h \
	%D%/backend/cache/cachefill.c \
	%D%/backend/cache/cacheform.c \
	%D%/backend/cache/cacheform.h \
	%D%/backend/cache/cacheget.c \
	%D%/backend/cache/cacheindex.c \
	%D%/backend/cache/cacheindex.h \
	%D%/backend/cache/cachelayer.h \
	%D%/backend/cache/cacheopen.c \
	%D%/backend/cache/cacheopen.h

pkglib_LTLIBRARIES += %D%/backend/cache/cache.la
%C%_backend_cache_cache_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_cache_cache_la_LIBADD = \
	%D%/backend/cache/libcache.la %D%/lib/libwish.la core/libbase.la
EXTRA_%C%_backend_cache_cache_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_cache_cache_la_SOURCES =

# ---- backend/chaos, a layer -------------------------------------------------------

pkglib_LTLIBRARIES += %D%/backend/chaos/chaos.la
%C%_backend_chaos_chaos_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_chaos_chaos_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_backend_chaos_chaos_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_chaos_chaos_la_LIBADD = %D%/lib/libwish.la core/libbase.la $(EVENT_LIBS)
EXTRA_%C%_backend_chaos_chaos_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_chaos_chaos_la_SOURCES = %D%/backend/chaos/chaos.c

# ---- backend/fallback, a layer ----------------------------------------------------

pkglib_LTLIBRARIES += %D%/backend/fallback/fallback.la
%C%_backend_fallback_fallback_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_fallback_fallback_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_backend_fallback_fallback_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_fallback_fallback_la_LIBADD = %D%/lib/libwish.la core/libbase.la $(EVENT_LIBS)
EXTRA_%C%_backend_fallback_fallback_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_fallback_fallback_la_SOURCES = \
	%D%/backend/fallback/backfill.c \
	%D%/backend/fallback/backfill.h \
	%D%/backend/fallback/backfill_job.c \
	%D%/backend/fallback/fallback.c \
	%D%/backend/fallback/fallback.h \
	%D%/backend/fallback/fallback_list.c \
	%D%/backend/fallback/fallback_put.c

# ---- backend/mirror, a layer ----------------------------------------------------

noinst_LTLIBRARIES += %D%/backend/mirror/libarrears.la
%C%_backend_mirror_libarrears_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_backend_mirror_libarrears_la_SOURCES = \
	%D%/backend/mirror/arrears.c \
	%D%/backend/mirror/arrears.h \
	%D%/backend/mirror/arrears_file.c \
	%D%/backend/mirror/arrears_file.h

pkglib_LTLIBRARIES += %D%/backend/mirror/mirror.la
%C%_backend_mirror_mirror_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_backend_mirror_mirror_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_backend_mirror_mirror_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_mirror_mirror_la_LIBADD = %D%/backend/mirror/libarrears.la \
	%D%/lib/libwish.la core/libbase.la $(EVENT_LIBS)
EXTRA_%C%_backend_mirror_mirror_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_mirror_mirror_la_SOURCES = \
	%D%/backend/mirror/mirror.c \
	%D%/backend/mirror/mirror_carry.c \
	%D%/backend/mirror/mirror_carry.h \
	%D%/backend/mirror/mirror_change.c \
	%D%/backend/mirror/mirror_desk.c \
	%D%/backend/mirror/mirror_desk.h \
	%D%/backend/mirror/mirror_heal.c \
	%D%/backend/mirror/mirror_layer.h \
	%D%/backend/mirror/mirror_leg.c \
	%D%/backend/mirror/mirror_ping.c \
	%D%/backend/mirror/mirror_read.c \
	%D%/backend/mirror/mirror_write.c \
	%D%/backend/mirror/mirror_write.h

# ---- hook/auth_basic --------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/auth_basic/libauth_basic.la
%C%_hook_auth_basic_libauth_basic_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_auth_basic_libauth_basic_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(CRYPT_CFLAGS)
%C%_hook_auth_basic_libauth_basic_la_LIBADD = %D%/lib/librate.la %D%/lib/libhook.la $(EVENT_LIBS) $(JANSSON_LIBS) $(CRYPT_LIBS)
%C%_hook_auth_basic_libauth_basic_la_SOURCES = \
	%D%/hook/auth_basic/auth_basic.c \
	%D%/hook/auth_basic/auth_basic.h \
	%D%/hook/auth_basic/caller.c \
	%D%/hook/auth_basic/checks.c \
	%D%/hook/auth_basic/checks.h \
	%D%/hook/auth_basic/failures.c \
	%D%/hook/auth_basic/failures.h \
	%D%/hook/auth_basic/hash.c \
	%D%/hook/auth_basic/hash.h \
	%D%/hook/auth_basic/htpasswd.c \
	%D%/hook/auth_basic/htpasswd.h \
	%D%/hook/auth_basic/seen.c \
	%D%/hook/auth_basic/seen.h

pkglib_LTLIBRARIES += %D%/hook/auth_basic/auth_basic.la
%C%_hook_auth_basic_auth_basic_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_auth_basic_auth_basic_la_LIBADD = %D%/hook/auth_basic/libauth_basic.la core/libbase.la
EXTRA_%C%_hook_auth_basic_auth_basic_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_auth_basic_auth_basic_la_SOURCES =

# ---- hook/auth_jwt ----------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/auth_jwt/libauth_jwt.la
%C%_hook_auth_jwt_libauth_jwt_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_auth_jwt_libauth_jwt_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS)
%C%_hook_auth_jwt_libauth_jwt_la_LIBADD = %D%/lib/libhttpc.la %D%/lib/libhook.la $(EVENT_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
%C%_hook_auth_jwt_libauth_jwt_la_SOURCES = \
	%D%/hook/auth_jwt/auth_jwt.c \
	%D%/hook/auth_jwt/claims.c \
	%D%/hook/auth_jwt/claims.h \
	%D%/hook/auth_jwt/claims_give.c \
	%D%/hook/auth_jwt/claims_private.h \
	%D%/hook/auth_jwt/issuer.c \
	%D%/hook/auth_jwt/issuer.h \
	%D%/hook/auth_jwt/jwa.c \
	%D%/hook/auth_jwt/jwa.h \
	%D%/hook/auth_jwt/jwk.c \
	%D%/hook/auth_jwt/jwk.h \
	%D%/hook/auth_jwt/jwk_read.c \
	%D%/hook/auth_jwt/jwks.c \
	%D%/hook/auth_jwt/jwks.h \
	%D%/hook/auth_jwt/jwks_file.c \
	%D%/hook/auth_jwt/jwks_private.h \
	%D%/hook/auth_jwt/jwksfetch.c \
	%D%/hook/auth_jwt/jwksfetch.h \
	%D%/hook/auth_jwt/jws.c \
	%D%/hook/auth_jwt/jws.h \
	%D%/hook/auth_jwt/jwtcache.c \
	%D%/hook/auth_jwt/jwtcache.h \
	%D%/hook/auth_jwt/jwtconf.c \
	%D%/hook/auth_jwt/jwtconf.h \
	%D%/hook/auth_jwt/jwtjson.c \
	%D%/hook/auth_jwt/jwtjson.h \
	%D%/hook/auth_jwt/jwtsetup.c

pkglib_LTLIBRARIES += %D%/hook/auth_jwt/auth_jwt.la
%C%_hook_auth_jwt_auth_jwt_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_auth_jwt_auth_jwt_la_LIBADD = %D%/hook/auth_jwt/libauth_jwt.la core/libbase.la
EXTRA_%C%_hook_auth_jwt_auth_jwt_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_auth_jwt_auth_jwt_la_SOURCES =

# ---- hook/auth_request ------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/auth_request/libauth_request.la
%C%_hook_auth_request_libauth_request_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_auth_request_libauth_request_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) 
%C%_hook_auth_request_libauth_request_la_LIBADD = %D%/lib/libhttpc.la %D%/lib/libhook.la $(EVENT_LIBS) $(JANSSON_LIBS) 
%C%_hook_auth_request_libauth_request_la_SOURCES = \
	%D%/hook/auth_request/asked.c \
	%D%/hook/auth_request/asked.h \
	%D%/hook/auth_request/asking.c \
	%D%/hook/auth_request/asking.h \
	%D%/hook/auth_request/auth_answer.c \
	%D%/hook/auth_request/auth_answer.h \
	%D%/hook/auth_request/auth_memo.c \
	%D%/hook/auth_request/auth_memo.h \
	%D%/hook/auth_request/auth_request.c \
	%D%/hook/auth_request/breaker.c \
	%D%/hook/auth_request/breaker.h \
	%D%/hook/auth_request/inquiry.c \
	%D%/hook/auth_request/inquiry.h

pkglib_LTLIBRARIES += %D%/hook/auth_request/auth_request.la
%C%_hook_auth_request_auth_request_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_auth_request_auth_request_la_LIBADD = %D%/hook/auth_request/libauth_request.la core/libbase.la
EXTRA_%C%_hook_auth_request_auth_request_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_auth_request_auth_request_la_SOURCES =

# ---- hook/auth_token --------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/auth_token/libauth_token.la
%C%_hook_auth_token_libauth_token_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook \
	-I$(srcdir)/core/yaml \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_auth_token_libauth_token_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) 
%C%_hook_auth_token_libauth_token_la_LIBADD = %D%/lib/libhook.la $(EVENT_LIBS) $(JANSSON_LIBS) 
%C%_hook_auth_token_libauth_token_la_SOURCES = \
	%D%/hook/auth_token/auth_token.c \
	%D%/hook/auth_token/tokens.c \
	%D%/hook/auth_token/tokens.h

pkglib_LTLIBRARIES += %D%/hook/auth_token/auth_token.la
%C%_hook_auth_token_auth_token_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_auth_token_auth_token_la_LIBADD = %D%/hook/auth_token/libauth_token.la \
	core/libyamlstream.la core/libbase.la
EXTRA_%C%_hook_auth_token_auth_token_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_auth_token_auth_token_la_SOURCES =

# ---- hook/events ------------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/events/libevents.la
%C%_hook_events_libevents_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_events_libevents_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS)
%C%_hook_events_libevents_la_LIBADD = %D%/lib/libhttpc.la $(EVENT_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS)
%C%_hook_events_libevents_la_SOURCES = \
	%D%/hook/events/backoff.c \
	%D%/hook/events/backoff.h \
	%D%/hook/events/courier.c \
	%D%/hook/events/courier.h \
	%D%/hook/events/delivery.c \
	%D%/hook/events/delivery.h \
	%D%/hook/events/event_body.c \
	%D%/hook/events/event_body.h \
	%D%/hook/events/event_queue.c \
	%D%/hook/events/event_queue.h \
	%D%/hook/events/events.c \
	%D%/hook/events/events.h \
	%D%/hook/events/events_lane.c \
	%D%/hook/events/queue_file.c \
	%D%/hook/events/queue_file.h \
	%D%/hook/events/recorder.c \
	%D%/hook/events/recorder.h \
	%D%/hook/events/signature.c \
	%D%/hook/events/signature.h

pkglib_LTLIBRARIES += %D%/hook/events/events.la
%C%_hook_events_events_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_events_events_la_LIBADD = %D%/hook/events/libevents.la core/libbase.la
EXTRA_%C%_hook_events_events_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_events_events_la_SOURCES =

# ---- hook/log_combined ------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/log_combined/liblog_combined.la
%C%_hook_log_combined_liblog_combined_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/logs \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_log_combined_liblog_combined_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) 
%C%_hook_log_combined_liblog_combined_la_LIBADD = %D%/lib/liblogs.la $(EVENT_LIBS) $(JANSSON_LIBS) 
%C%_hook_log_combined_liblog_combined_la_SOURCES = \
	%D%/hook/log_combined/combined.c \
	%D%/hook/log_combined/combined.h \
	%D%/hook/log_combined/log_combined.c

pkglib_LTLIBRARIES += %D%/hook/log_combined/log_combined.la
%C%_hook_log_combined_log_combined_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_log_combined_log_combined_la_LIBADD = %D%/hook/log_combined/liblog_combined.la core/libbase.la
EXTRA_%C%_hook_log_combined_log_combined_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_log_combined_log_combined_la_SOURCES =

# ---- hook/log_json ----------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/log_json/liblog_json.la
%C%_hook_log_json_liblog_json_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/logs \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_log_json_liblog_json_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) 
%C%_hook_log_json_liblog_json_la_LIBADD = %D%/lib/liblogs.la $(EVENT_LIBS) $(JANSSON_LIBS) 
%C%_hook_log_json_liblog_json_la_SOURCES = \
	%D%/hook/log_json/fields.c \
	%D%/hook/log_json/fields.h \
	%D%/hook/log_json/log_json.c

pkglib_LTLIBRARIES += %D%/hook/log_json/log_json.la
%C%_hook_log_json_log_json_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_log_json_log_json_la_LIBADD = %D%/hook/log_json/liblog_json.la core/libbase.la
EXTRA_%C%_hook_log_json_log_json_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_log_json_log_json_la_SOURCES =

# ---- hook/lua, where Lua is -------------------------------------------------

# A library of its own, so that its tests need no Lua.
noinst_LTLIBRARIES += %D%/hook/lua/libluapattern.la
%C%_hook_lua_libluapattern_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_hook_lua_libluapattern_la_SOURCES = \
	%D%/hook/lua/luapattern.c \
	%D%/hook/lua/luapattern.h

if LUA
noinst_LTLIBRARIES += %D%/hook/lua/liblua.la
pkglib_LTLIBRARIES += %D%/hook/lua/lua.la
endif

%C%_hook_lua_liblua_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_lua_liblua_la_CFLAGS = $(AM_CFLAGS) $(LUA_CFLAGS)
%C%_hook_lua_liblua_la_LIBADD = %D%/hook/lua/libluapattern.la \
	%D%/lib/libhook.la $(LUA_LIBS)
%C%_hook_lua_liblua_la_SOURCES = \
	%D%/hook/lua/allowance.c \
	%D%/hook/lua/allowance.h \
	%D%/hook/lua/lua.c \
	%D%/hook/lua/luafacts.c \
	%D%/hook/lua/luafacts.h \
	%D%/hook/lua/luarequest.c \
	%D%/hook/lua/luarequest.h \
	%D%/hook/lua/luastring.c \
	%D%/hook/lua/luastring.h \
	%D%/hook/lua/sandbox.c \
	%D%/hook/lua/sandbox.h \
	%D%/hook/lua/script.c \
	%D%/hook/lua/script.h

%C%_hook_lua_lua_la_LDFLAGS = $(PLUGIN_FLAGS) -rpath $(pkglibdir)
%C%_hook_lua_lua_la_LIBADD = %D%/hook/lua/liblua.la core/libbase.la
EXTRA_%C%_hook_lua_lua_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_lua_lua_la_SOURCES =

# ---- hook/quota -------------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/quota/libquota.la
%C%_hook_quota_libquota_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_quota_libquota_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_hook_quota_libquota_la_LIBADD = $(SQLITE_LIBS)
%C%_hook_quota_libquota_la_SOURCES = \
	%D%/hook/quota/account.c \
	%D%/hook/quota/account.h \
	%D%/hook/quota/quota.c

pkglib_LTLIBRARIES += %D%/hook/quota/quota.la
%C%_hook_quota_quota_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_quota_quota_la_LIBADD = %D%/hook/quota/libquota.la core/libbase.la
EXTRA_%C%_hook_quota_quota_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_quota_quota_la_SOURCES =

# ---- hook/rate_limit --------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/rate_limit/librate_limit.la
%C%_hook_rate_limit_librate_limit_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) -I$(srcdir)/%D%/lib/hook \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_rate_limit_librate_limit_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) 
%C%_hook_rate_limit_librate_limit_la_LIBADD = %D%/lib/librate.la $(EVENT_LIBS) $(JANSSON_LIBS) 
%C%_hook_rate_limit_librate_limit_la_SOURCES = \
	%D%/hook/rate_limit/rate_limit.c \
	%D%/hook/rate_limit/rates.c \
	%D%/hook/rate_limit/rates.h

pkglib_LTLIBRARIES += %D%/hook/rate_limit/rate_limit.la
%C%_hook_rate_limit_rate_limit_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_rate_limit_rate_limit_la_LIBADD = %D%/hook/rate_limit/librate_limit.la core/libbase.la
EXTRA_%C%_hook_rate_limit_rate_limit_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_rate_limit_rate_limit_la_SOURCES =

# ---- hook/scan_clamd --------------------------------------------------------

noinst_LTLIBRARIES += %D%/hook/scan_clamd/libscan_clamd.la
%C%_hook_scan_clamd_libscan_clamd_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_scan_clamd_libscan_clamd_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
%C%_hook_scan_clamd_libscan_clamd_la_LIBADD = $(EVENT_LIBS)
%C%_hook_scan_clamd_libscan_clamd_la_SOURCES = \
	%D%/hook/scan_clamd/clamd.c \
	%D%/hook/scan_clamd/clamd.h \
	%D%/hook/scan_clamd/scan_clamd.c

pkglib_LTLIBRARIES += %D%/hook/scan_clamd/scan_clamd.la
%C%_hook_scan_clamd_scan_clamd_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_hook_scan_clamd_scan_clamd_la_LIBADD = %D%/hook/scan_clamd/libscan_clamd.la core/libbase.la
EXTRA_%C%_hook_scan_clamd_scan_clamd_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_scan_clamd_scan_clamd_la_SOURCES =

# ---- hook/sniff, where libmagic and libseccomp are ---------------------------

# Of the gateway's side nothing needs libmagic.
noinst_LTLIBRARIES += %D%/hook/sniff/libsniff.la
%C%_hook_sniff_libsniff_la_CPPFLAGS = $(PLUGIN_CPPFLAGS) \
	-DSLUICE_VERSION='"$(VERSION)"'
%C%_hook_sniff_libsniff_la_SOURCES = \
	%D%/hook/sniff/helper.c \
	%D%/hook/sniff/helper.h \
	%D%/hook/sniff/launcher.c \
	%D%/hook/sniff/launcher.h \
	%D%/hook/sniff/mediatype.c \
	%D%/hook/sniff/mediatype.h \
	%D%/hook/sniff/sniff.c \
	%D%/hook/sniff/sniff.h \
	%D%/hook/sniff/sniff_judge.c \
	%D%/hook/sniff/sniffwire.c \
	%D%/hook/sniff/sniffwire.h

if SNIFF
pkglib_LTLIBRARIES += %D%/hook/sniff/sniff.la
sniffdir = $(pkglibdir)
sniff_PROGRAMS = %D%/hook/sniff/sluice-sniff
# The plugin of a build looks for it there.
noinst_DATA = %D%/hook/sniff/.libs/sluice-sniff
endif

%C%_hook_sniff_sniff_la_LDFLAGS = $(PLUGIN_FLAGS) -rpath $(pkglibdir)
%C%_hook_sniff_sniff_la_LIBADD = %D%/hook/sniff/libsniff.la core/libbase.la
EXTRA_%C%_hook_sniff_sniff_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_hook_sniff_sniff_la_SOURCES =

%C%_hook_sniff_sluice_sniff_CFLAGS = $(AM_CFLAGS) $(MAGIC_CFLAGS) $(SECCOMP_CFLAGS)
%C%_hook_sniff_sluice_sniff_LDADD = $(MAGIC_LIBS) $(SECCOMP_LIBS)
%C%_hook_sniff_sluice_sniff_SOURCES = \
	%D%/hook/sniff/cell.c \
	%D%/hook/sniff/cell.h \
	%D%/hook/sniff/looker.c \
	%D%/hook/sniff/looker.h \
	%D%/hook/sniff/program.c \
	%D%/hook/sniff/sniffwire.c \
	%D%/hook/sniff/sniffwire.h

%D%/hook/sniff/.libs/sluice-sniff: %D%/hook/sniff/sluice-sniff$(EXEEXT)
	@$(MKDIR_P) %D%/hook/sniff/.libs
	$(AM_V_GEN)cp -f %D%/hook/sniff/sluice-sniff$(EXEEXT) $@

# ---- templates for new plugins: built, tested, installed as sources ---------

# -rpath is what makes libtool build a module of what isn't installed.
SKELETON_FLAGS = $(PLUGIN_FLAGS) -rpath $(pkglibdir)

noinst_LTLIBRARIES += %D%/skeleton/libskeleton.la
%C%_skeleton_libskeleton_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_skeleton_libskeleton_la_SOURCES = \
	%D%/skeleton/call.c \
	%D%/skeleton/call.h \
	%D%/skeleton/shelf.c \
	%D%/skeleton/shelf.h \
	%D%/skeleton/skeleton.c

noinst_LTLIBRARIES += %D%/skeleton/skeleton.la
%C%_skeleton_skeleton_la_LDFLAGS = $(SKELETON_FLAGS)
%C%_skeleton_skeleton_la_LIBADD = %D%/skeleton/libskeleton.la
EXTRA_%C%_skeleton_skeleton_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_skeleton_skeleton_la_SOURCES =

noinst_LTLIBRARIES += %D%/skeleton/skeleton_hook.la
%C%_skeleton_skeleton_hook_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_skeleton_skeleton_hook_la_LDFLAGS = $(SKELETON_FLAGS)
EXTRA_%C%_skeleton_skeleton_hook_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_skeleton_skeleton_hook_la_SOURCES = %D%/skeleton/skeleton_hook.c

# Also for those who have no sources: what they copy and begin with.
skeletondir = $(docdir)/skeleton
dist_skeleton_DATA = \
	%D%/skeleton/Makefile \
	%D%/skeleton/README.md \
	%D%/skeleton/call.c \
	%D%/skeleton/call.h \
	%D%/skeleton/shelf.c \
	%D%/skeleton/shelf.h \
	%D%/skeleton/skeleton.c \
	%D%/skeleton/skeleton_hook.c

EXTRA_DIST += \
	%D%/backend/cache/cache.yaml \
	%D%/backend/compress/compress.yaml \
	%D%/backend/encrypt/encrypt.yaml \
	%D%/backend/local/example.yaml \
	%D%/backend/prefix/prefix.yaml \
	%D%/backend/readonly/readonly.yaml \
	%D%/backend/throttle/throttle.yaml \
	%D%/backend/chaos/chaos.yaml \
	%D%/backend/fallback/fallback.yaml \
	%D%/backend/mirror/mirror.yaml \
	%D%/hook/auth_basic/auth_basic.yaml \
	%D%/hook/auth_basic/htpasswd \
	%D%/hook/auth_jwt/auth_jwt.yaml \
	%D%/hook/auth_jwt/jwtkit.py \
	%D%/hook/auth_request/auth_request.yaml \
	%D%/hook/auth_request/authkit.py \
	%D%/hook/auth_token/auth_token.yaml \
	%D%/hook/auth_token/tokens.yaml \
	%D%/hook/events/events.yaml \
	%D%/hook/events/eventskit.py \
	%D%/hook/log_combined/log_combined.yaml \
	%D%/hook/log_json/log_json.yaml \
	%D%/hook/lua/lua.yaml \
	%D%/hook/lua/luakit.py \
	%D%/hook/lua/uploads.lua \
	%D%/hook/quota/quota.yaml \
	%D%/hook/rate_limit/rate_limit.yaml \
	%D%/hook/scan_clamd/scan_clamd.yaml \
	%D%/hook/sniff/samples.py \
	%D%/hook/sniff/sniff.yaml \
	%D%/hook/sniff/sniffkit.py

# An example, which make would take for a program of htpasswd.c.
%D%/hook/auth_basic/htpasswd: ;
