// The engine for x86 processors with AVX2.
#include "processor.hpp"

#if AUTOMORPH_X86
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

// From here on code is for this instruction set; nothing that other files share may follow.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), \
                             apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in GCC's own headers
#pragma GCC target("avx2,bmi,bmi2")
#endif

#include "avx2.hpp"
#include "walk.hpp"

const Variant *avx2_variant() { return &VARIANT<Avx2>; }

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
