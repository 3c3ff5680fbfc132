/* SPDX-License-Identifier: MIT
 *
 * The text that /openapi.yaml answers with, which the build makes.
 */
#ifndef ENDPOINTS_OPENAPI_H
#define ENDPOINTS_OPENAPI_H

extern const char openapi_text[];

#endif
