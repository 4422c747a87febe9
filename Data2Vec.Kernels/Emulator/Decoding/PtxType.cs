namespace Data2Vec.Kernels.Emulator;

/// <summary>A type of PTX: what the bits mean, and how many there are.</summary>
/// <param name="Kind">'s', 'u', 'b', 'f', 'h' (bfloat16), or 'p' for a predicate.</param>
/// <param name="Bits">1 to 64.</param>
/// <param name="Packed">True for two halves in one register.</param>
internal readonly record struct PtxType(char Kind, int Bits, bool Packed = false)
{
    /// <summary>True if its registers have 8 bytes per lane.</summary>
    public bool Wide => Bits == 64;

    public bool Signed => Kind == 's';

    /// <summary>The type of a part of an opcode, such as "f32"; null if it is none.</summary>
    public static PtxType? TryParse(string part) => part switch
    {
        "pred" => new PtxType('p', 1),
        "s8" => new PtxType('s', 8),
        "s16" => new PtxType('s', 16),
        "s32" => new PtxType('s', 32),
        "s64" => new PtxType('s', 64),
        "u8" => new PtxType('u', 8),
        "u16" => new PtxType('u', 16),
        "u32" => new PtxType('u', 32),
        "u64" => new PtxType('u', 64),
        "b8" => new PtxType('b', 8),
        "b16" => new PtxType('b', 16),
        "b32" => new PtxType('b', 32),
        "b64" => new PtxType('b', 64),
        "f16" => new PtxType('f', 16),
        "f16x2" => new PtxType('f', 32, true),
        "bf16" => new PtxType('h', 16),
        "bf16x2" => new PtxType('h', 32, true),
        "tf32" => new PtxType('t', 32),
        "f32" => new PtxType('f', 32),
        "f64" => new PtxType('f', 64),
        _ => null,
    };

    public override string ToString() => Kind switch
    {
        'p' => "pred",
        'h' => Packed ? "bf16x2" : "bf16",
        't' => "tf32",
        _ => Packed ? "f16x2" : $"{Kind}{Bits}",
    };
}
