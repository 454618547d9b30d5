// What the processor can do, and which variants there are for it.
#pragma once
#include "interface.h"

// The hand-written variants need GCC or Clang, which compile single files for an instruction set.
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#define AUTOMORPH_X86 1
#else
#define AUTOMORPH_X86 0
#endif

const Variant *plain_variant();

#if AUTOMORPH_X86
const Variant *avx2_variant();
const Variant *avx512_variant();

// These ask the operating system too, whether it keeps the wide registers.
inline bool has_avx2() { return __builtin_cpu_supports("avx2"); }

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi");
}
#endif
