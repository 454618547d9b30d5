// Detects the processor's instruction sets and declares the variants.
#pragma once
#include "step.h"

// The hand-written variants need GCC or Clang, which can compile parts of a file for an instruction
// set. (On Windows, GCC does not align wide registers on the stack.)
#if defined(__x86_64__) && (defined(__clang__) || (defined(__GNUC__) && !defined(_WIN32)))
#define AUTOMORPH_X86 1
#else
#define AUTOMORPH_X86 0
#endif

#if AUTOMORPH_X86
#include <cpuid.h>
#endif

const Variant *plain_variant();
Status plain_steps(const Step &step, int64_t first, int64_t last);

#if AUTOMORPH_X86
const Variant *avx2_variant();
const Variant *avx512_variant();
Status avx2_steps(const Step &step, int64_t first, int64_t last);
Status avx512_steps(const Step &step, int64_t first, int64_t last);

// Queries `cpuid` directly, since not every run-time library has the compiler's own functions.
struct Processor {
  unsigned ebx = 0, ecx = 0;  // leaf 7 of `cpuid`
  unsigned kept = 0;          // registers that the operating system saves

  Processor() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return;
    if (!__get_cpuid_count(7, 0, &a, &ebx, &ecx, &d)) return;
    __asm__ volatile("xgetbv" : "=a"(kept), "=d"(d) : "c"(0));
  }
  bool keeps(unsigned registers) const { return (kept & registers) == registers; }
  bool has(unsigned bit) const { return ebx >> bit & 1; }

  bool avx2() const { return keeps(0x06) && has(5) && has(3) && has(8); }  // AVX2, BMI, BMI2
  bool avx512() const {  // F, DQ, BW, VL and VBMI
    return avx2() && keeps(0xE6) && has(16) && has(17) && has(30) && has(31) && (ecx >> 1 & 1);
  }
};
#endif
