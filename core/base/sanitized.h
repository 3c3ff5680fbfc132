/* SPDX-License-Identifier: MIT
 *
 * Builds that look at themselves while they run, and need for it what the
 * program else gives up.
 */
#ifndef BASE_SANITIZED_H
#define BASE_SANITIZED_H

#if defined __has_feature
#define SANITIZED_FEATURE(f) __has_feature(f)
#else
#define SANITIZED_FEATURE(f) 0
#endif

/* AddressSanitizer, of which the part for leaks traces the process. */
#if defined __SANITIZE_ADDRESS__ || SANITIZED_FEATURE(address_sanitizer)
#define SANITIZED_ADDRESS 1
#else
#define SANITIZED_ADDRESS 0
#endif

/* That one, or ThreadSanitizer: both handle crashes, and start programs. */
#if SANITIZED_ADDRESS || defined __SANITIZE_THREAD__ || \
    SANITIZED_FEATURE(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Those, and builds that count lines, which write files of the build. */
#if SANITIZED || defined SLUICE_COVERAGE
#define INSTRUMENTED 1
#else
#define INSTRUMENTED 0
#endif

#endif
