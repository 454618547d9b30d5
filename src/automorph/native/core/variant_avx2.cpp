// The engine for x86 processors with AVX2.
#include "processor.hpp"

#if AUTOMORPH_X86
#include "target_avx2.hpp"

#include "avx2.hpp"
#include "one.hpp"

const Variant *avx2_variant() { return &VARIANT<Avx2>; }

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
