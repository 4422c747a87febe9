// Four 8 x 8 matrices of 16-bit numbers from shared memory to the registers of a warp. Lane l names row l % 8 of matrix
// l / 8, 16 bytes at a multiple of 16; register i then holds numbers 2 (l % 4) and 2 (l % 4) + 1 of row l / 4 of matrix i,
// or, transposed, of its column l / 4. No bank is asked twice when the eight rows of a matrix lie in different ones.
// Source: PTX ISA, ldmatrix.
#pragma once

__device__ __forceinline__ void ldmatrix(unsigned int (&r)[4], unsigned int address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}

__device__ __forceinline__ void ldmatrix_transposed(unsigned int (&r)[4], unsigned int address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}
