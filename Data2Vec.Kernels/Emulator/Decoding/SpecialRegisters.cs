namespace Data2Vec.Kernels.Emulator;

/// <summary>Names of the registers that the hardware fills. Source: PTX ISA 8.4, section 10.</summary>
internal static class SpecialRegisters
{
    public static SpecialRegister Find(string name, int line) => name switch
    {
        "%tid.x" => SpecialRegister.TidX,
        "%tid.y" => SpecialRegister.TidY,
        "%tid.z" => SpecialRegister.TidZ,
        "%ntid.x" => SpecialRegister.NtidX,
        "%ntid.y" => SpecialRegister.NtidY,
        "%ntid.z" => SpecialRegister.NtidZ,
        "%ctaid.x" => SpecialRegister.CtaidX,
        "%ctaid.y" => SpecialRegister.CtaidY,
        "%ctaid.z" => SpecialRegister.CtaidZ,
        "%nctaid.x" => SpecialRegister.NctaidX,
        "%nctaid.y" => SpecialRegister.NctaidY,
        "%nctaid.z" => SpecialRegister.NctaidZ,
        "%laneid" => SpecialRegister.LaneId,
        "%warpid" => SpecialRegister.WarpId,
        "%nwarpid" => SpecialRegister.WarpCount,
        "%lanemask_eq" => SpecialRegister.LaneMaskEq,
        "%lanemask_lt" => SpecialRegister.LaneMaskLt,
        "%lanemask_le" => SpecialRegister.LaneMaskLe,
        "%lanemask_gt" => SpecialRegister.LaneMaskGt,
        "%lanemask_ge" => SpecialRegister.LaneMaskGe,
        "%smid" => SpecialRegister.Multiprocessor,
        "%nsmid" => SpecialRegister.MultiprocessorCount,
        "%gridid" => SpecialRegister.GridId,
        "%dynamic_smem_size" => SpecialRegister.DynamicShared,
        "%total_smem_size" => SpecialRegister.TotalShared,
        _ => throw new PtxException(line, $"The emulator does not know the register {name}."),
    };

    /// <summary>The value of a register in a lane of a warp.</summary>
    public static uint Value(SpecialRegister register, Warp warp, int lane)
    {
        var launch = warp.Block.Launch;
        var (block, thread) = (launch.BlockSize, warp.Index * Lanes.Count + lane);
        return register switch
        {
            SpecialRegister.TidX => (uint)(thread % block.X),
            SpecialRegister.TidY => (uint)(thread / block.X % block.Y),
            SpecialRegister.TidZ => (uint)(thread / block.X / block.Y),
            SpecialRegister.NtidX => (uint)block.X,
            SpecialRegister.NtidY => (uint)block.Y,
            SpecialRegister.NtidZ => (uint)block.Z,
            SpecialRegister.CtaidX => (uint)warp.Block.Position.X,
            SpecialRegister.CtaidY => (uint)warp.Block.Position.Y,
            SpecialRegister.CtaidZ => (uint)warp.Block.Position.Z,
            SpecialRegister.NctaidX => (uint)launch.Grid.X,
            SpecialRegister.NctaidY => (uint)launch.Grid.Y,
            SpecialRegister.NctaidZ => (uint)launch.Grid.Z,
            SpecialRegister.LaneId => (uint)lane,
            SpecialRegister.WarpId => (uint)warp.Index,
            SpecialRegister.WarpCount => (uint)warp.Block.WarpCount,
            SpecialRegister.LaneMaskEq => 1u << lane,
            SpecialRegister.LaneMaskLt => (1u << lane) - 1,
            SpecialRegister.LaneMaskLe => (1u << lane) * 2 - 1,
            SpecialRegister.LaneMaskGt => ~((1u << lane) * 2 - 1),
            SpecialRegister.LaneMaskGe => ~((1u << lane) - 1),
            SpecialRegister.Multiprocessor => 0,
            SpecialRegister.MultiprocessorCount => EmulatedDriver.MultiprocessorCount,
            SpecialRegister.DynamicShared => (uint)launch.DynamicShared,
            SpecialRegister.TotalShared => (uint)launch.SharedBytes,
            _ => 0,
        };
    }
}
