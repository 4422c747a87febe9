namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Where the spaces lie in generic addresses. A pointer into shared, local or parameter memory begins at zero in its
/// own space and at its window in generic addresses; global and constant memory have the same addresses in both.
/// </summary>
internal static class Windows
{
    public const ulong Shared = 0x7100_0000_0000, Local = 0x7200_0000_0000, Param = 0x7300_0000_0000;

    /// <summary>First address of global memory, above all windows.</summary>
    public const ulong Global = 0x7400_0000_0000;

    /// <summary>Bytes of one window.</summary>
    public const ulong Bytes = 0x0100_0000_0000;

    /// <summary>Window of a space by its name in an opcode; 0 for global and constant memory.</summary>
    public static ulong Of(string space) => space switch
    {
        "shared" or "shared::cta" => Shared,
        "local" => Local,
        "param" or "param::entry" => Param,
        _ => 0,
    };

    /// <summary>Window in which a generic address lies; 0 for global memory.</summary>
    public static ulong WindowOf(ulong address) => address switch
    {
        >= Shared and < Shared + Bytes => Shared,
        >= Local and < Local + Bytes => Local,
        >= Param and < Param + Bytes => Param,
        _ => 0,
    };

    /// <summary>Space of a generic address.</summary>
    public static PtxSpace SpaceOf(ulong address) => WindowOf(address) switch
    {
        Shared => PtxSpace.Shared,
        Local => PtxSpace.Local,
        Param => PtxSpace.Param,
        _ => PtxSpace.Global,
    };
}
