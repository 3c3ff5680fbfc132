/* SPDX-License-Identifier: MIT
 *
 * RFC 1321, section 3.4, written once for a word and for a vector of words: a
 * step needs the one before it, so that one stream leaves most of a processor
 * idle, and sixteen streams at once take hardly longer than one.
 */
#include "md5_lanes.h"

#include <endian.h>
#include <string.h>

/* The compiler lowers it to what the processor has.  On the stack it is
 * aligned as everything is: more is not kept everywhere (GCC's
 * AddressSanitizer). */
typedef uint32_t vector
    __attribute__((vector_size(4 * MD5_LANES), aligned(16)));
typedef uint32_t quad __attribute__((vector_size(16)));

/* The integer part of 2^32 * |sin(i + 1)|. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
    0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
    0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
    0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

#define STEP(f, a, b, c, d, at, i, turn)                \
  do {                                                  \
    (a) += f(b, c, d) + words[(at) % 16] + sines[i];    \
    (a) = ((a) << (turn) | (a) >> (32 - (turn))) + (b); \
  } while (0)

/* Loops that -O2 alone leaves rolled cost a quarter. */
#ifdef __clang__
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

/* Sixteen steps; step i takes the word at first + i * stride. */
#define ROUND(f, from, first, stride, t0, t1, t2, t3)            \
  UNROLLED                                                       \
  for (unsigned i = 0; i < 16; i += 4) {                         \
    unsigned at = (first) + i * (stride);                        \
    STEP(f, a, b, c, d, at, (from) + i, t0);                     \
    STEP(f, d, a, b, c, at + (stride), (from) + i + 1, t1);      \
    STEP(f, c, d, a, b, at + 2u * (stride), (from) + i + 2, t2); \
    STEP(f, b, c, d, a, at + 3u * (stride), (from) + i + 3, t3); \
  }

#define ROUNDS                        \
  ROUND(F, 0, 0u, 1u, 7, 12, 17, 22)  \
  ROUND(G, 16, 1u, 5u, 5, 9, 14, 20)  \
  ROUND(H, 32, 5u, 3u, 4, 11, 16, 23) \
  ROUND(I, 48, 0u, 7u, 6, 10, 15, 21)

void md5_blocks(struct md5_state *state, const unsigned char *data,
                size_t blocks) {
  uint32_t *word = state->word;
  for (; blocks > 0; blocks--, data += MD5_BLOCK) {
    uint32_t words[16];
    uint32_t a = word[0], b = word[1], c = word[2], d = word[3];
    memcpy(words, data, sizeof words);
    for (unsigned i = 0; i < 16; i++)
      words[i] = le32toh(words[i]);
    ROUNDS
    word[0] += a;
    word[1] += b;
    word[2] += c;
    word[3] += d;
  }
}

#define INLINE static inline __attribute__((always_inline))

INLINE void load(quad *to, const unsigned char *from) {
  memcpy(to, from, sizeof *to);
#if __BYTE_ORDER == __BIG_ENDIAN
  for (unsigned i = 0; i < 4; i++)
    (*to)[i] = le32toh((*to)[i]);
#endif
}

/* Four words of four lanes: from a row for each lane to one for each word. */
INLINE void turn(uint32_t (*words)[MD5_LANES], unsigned lane,
                 const unsigned char *const data[], size_t offset) {
  quad r0, r1, r2, r3;
  load(&r0, data[lane] + offset);
  load(&r1, data[lane + 1] + offset);
  load(&r2, data[lane + 2] + offset);
  load(&r3, data[lane + 3] + offset);
  quad low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
  quad low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
  quad high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  quad high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  quad turned[4] = {
      __builtin_shufflevector(low01, low23, 0, 1, 4, 5),
      __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
      __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
      __builtin_shufflevector(high01, high23, 2, 3, 6, 7),
  };
  for (unsigned i = 0; i < 4; i++)
    memcpy(&words[i][lane], &turned[i], sizeof turned[i]);
}

INLINE void run(struct md5_states *states,
                const unsigned char *data[MD5_LANES], size_t blocks) {
  vector word[4];
  memcpy(word, states->word, sizeof word);
  for (; blocks > 0; blocks--) {
    vector words[16];
    UNROLLED
    for (unsigned i = 0; i < 16; i += 4) {
      UNROLLED
      for (unsigned lane = 0; lane < MD5_LANES; lane += 4)
        turn((uint32_t(*)[MD5_LANES]) & words[i], lane, data, 4 * (size_t)i);
    }
    vector a = word[0], b = word[1], c = word[2], d = word[3];
    ROUNDS
    word[0] += a;
    word[1] += b;
    word[2] += c;
    word[3] += d;
    for (unsigned lane = 0; lane < MD5_LANES; lane++)
      data[lane] += MD5_BLOCK;
  }
  memcpy(states->word, word, sizeof word);
}

static bool everywhere(void) {
  return true;
}

static void run_plain(struct md5_states *states,
                      const unsigned char *data[MD5_LANES], size_t blocks) {
  run(states, data, blocks);
}

#ifdef __x86_64__
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static void
run_avx2(struct md5_states *states, const unsigned char *data[MD5_LANES],
         size_t blocks) {
  run(states, data, blocks);
}

static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f");
}

__attribute__((target("avx512f"))) static void
run_avx512(struct md5_states *states, const unsigned char *data[MD5_LANES],
           size_t blocks) {
  run(states, data, blocks);
}
#endif

const struct md5_lanes md5_lanes[] = {
#ifdef __x86_64__
    {"AVX-512", has_avx512, run_avx512, 3},
    {"AVX2", has_avx2, run_avx2, 4},
#endif
    {"plain", everywhere, run_plain, 6},
};
const size_t md5_lanes_count = sizeof md5_lanes / sizeof *md5_lanes;
