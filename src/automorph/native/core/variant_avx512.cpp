// The engine for x86 processors with AVX-512 and VBMI.
#include "processor.hpp"

#if AUTOMORPH_X86
#include "target_avx512.hpp"

#include "avx512_moves.hpp"
#include "one.hpp"

const Variant *avx512_variant() { return &VARIANT<Avx512>; }

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
