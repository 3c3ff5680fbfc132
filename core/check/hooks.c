/* SPDX-License-Identifier: MIT
 *
 * Checks of hooks.
 */
#include "suite.h"
const struct check hook_checks[] = {{NULL, NULL, NULL, false}};
const struct check hook_leak_checks[] = {{NULL, NULL, NULL, false}};
