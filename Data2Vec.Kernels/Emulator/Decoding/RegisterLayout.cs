namespace Data2Vec.Kernels.Emulator;

/// <summary>A register that the hardware fills.</summary>
internal enum SpecialRegister
{
    TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ,
    LaneId, WarpId, WarpCount, LaneMaskEq, LaneMaskLt, LaneMaskLe, LaneMaskGt, LaneMaskGe, Multiprocessor,
    MultiprocessorCount, GridId, DynamicShared, TotalShared,
}

/// <summary>
/// Where the registers of a warp lie, as byte offsets into one block of memory: predicates as masks of 4 bytes,
/// registers of up to 32 bits as 32 values of 4 bytes, those of 64 bits as 32 values of 8. Constants and special
/// registers are registers that nobody writes.
/// </summary>
internal sealed class RegisterLayout
{
    private const int Lanes = 32;
    private readonly Dictionary<string, (int Offset, int Bits)> named = new(StringComparer.Ordinal);
    private readonly Dictionary<(ulong Value, bool Wide), int> constants = [];
    private readonly Dictionary<(SpecialRegister Register, bool Wide), int> specials = [];

    /// <summary>Bytes of one warp.</summary>
    public int Bytes { get; private set; }

    /// <summary>Constants: offset, value, and whether they are of 64 bits.</summary>
    public IEnumerable<(int Offset, ulong Value, bool Wide)> Constants =>
        constants.Select(c => (c.Value, c.Key.Value, c.Key.Wide));

    /// <summary>Special registers in use.</summary>
    public IEnumerable<(int Offset, SpecialRegister Register, bool Wide)> Specials =>
        specials.Select(s => (s.Value, s.Key.Register, s.Key.Wide));

    public bool Knows(string name) => named.ContainsKey(name);

    /// <summary>Offset and bits of a declared register.</summary>
    public (int Offset, int Bits) this[string name] => named[name];

    public void Add(string name, int bits) => named[name] = (bits == 1 ? Predicate() : Take(bits == 64), bits);

    /// <summary>A register without a name.</summary>
    public int Take(bool wide) => Room(Lanes * (wide ? 8 : 4), 64);

    /// <summary>A predicate without a name.</summary>
    public int Predicate() => Room(4, 4);

    /// <summary>A constant in every lane.</summary>
    public int Constant(ulong value, bool wide)
    {
        if (!wide) value = (uint)value;
        if (!constants.TryGetValue((value, wide), out var offset))
        {
            offset = Take(wide);
            constants[(value, wide)] = offset;
        }
        return offset;
    }

    public int Special(SpecialRegister register, bool wide)
    {
        if (!specials.TryGetValue((register, wide), out var offset))
        {
            offset = Take(wide);
            specials[(register, wide)] = offset;
        }
        return offset;
    }

    private int Room(int bytes, int align)
    {
        var offset = (Bytes + align - 1) & -align;
        Bytes = offset + bytes;
        return offset;
    }
}
