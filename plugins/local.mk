# SPDX-License-Identifier: MIT
#
# Plugins are modules that take sluice_*() from the program that loads them and
# carry their own copy of core/base.

PLUGIN_FLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/%D%/plugin.syms
PLUGIN_FILES = %D%/plugin.syms

EXTRA_DIST += %D%/plugin.syms

# ---- backend/local ----------------------------------------------------------

# A library of its own, so that unit tests can link it.
noinst_LTLIBRARIES += %D%/backend/local/liblocal.la
%C%_backend_local_liblocal_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
%C%_backend_local_liblocal_la_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
%C%_backend_local_liblocal_la_LIBADD = $(SQLITE_LIBS)
%C%_backend_local_liblocal_la_SOURCES = \
	%D%/backend/local/folder.c \
	%D%/backend/local/folder.h \
	%D%/backend/local/home.c \
	%D%/backend/local/home.h \
	%D%/backend/local/index.c \
	%D%/backend/local/index.h \
	%D%/backend/local/ledger.c \
	%D%/backend/local/ledger.h \
	%D%/backend/local/link.c \
	%D%/backend/local/link.h \
	%D%/backend/local/lister.c \
	%D%/backend/local/lister.h \
	%D%/backend/local/local.c \
	%D%/backend/local/local.h \
	%D%/backend/local/reader.c \
	%D%/backend/local/reader.h \
	%D%/backend/local/recover.c \
	%D%/backend/local/recover.h \
	%D%/backend/local/row.c \
	%D%/backend/local/row.h \
	%D%/backend/local/store.c \
	%D%/backend/local/store.h \
	%D%/backend/local/sweep.c \
	%D%/backend/local/task.c \
	%D%/backend/local/uploader.c \
	%D%/backend/local/uploader.h \
	%D%/backend/local/writer.c \
	%D%/backend/local/writer.h

pkglib_LTLIBRARIES += %D%/backend/local/local.la
%C%_backend_local_local_la_LDFLAGS = $(PLUGIN_FLAGS)
%C%_backend_local_local_la_LIBADD = %D%/backend/local/liblocal.la core/libbase.la
EXTRA_%C%_backend_local_local_la_DEPENDENCIES = $(PLUGIN_FILES)
%C%_backend_local_local_la_SOURCES =
