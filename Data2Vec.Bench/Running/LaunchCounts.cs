using System.Globalization;
using System.Text.Json.Serialization;
using Data2Vec.Kernels.Emulator;

namespace Data2Vec.Bench.Running;

/// <summary>What one launch did, or all launches of a pass together, as the emulator counted it.</summary>
internal sealed record LaunchCounts
{
    /// <summary>The kernel's entry point, or "all N launches" for the sum of a pass.</summary>
    public required string Kernel { get; init; }

    /// <summary>Instructions of warps by class, those that occurred.</summary>
    public required IReadOnlyDictionary<string, long> Instructions { get; init; }

    /// <summary>The same for each lane whose guard let it through, all classes together.</summary>
    public required long LaneInstructions { get; init; }

    /// <summary>Bytes that lanes read from global memory, the same byte as often as it was read.</summary>
    public required long GlobalRead { get; init; }

    /// <summary>Bytes that lanes wrote to global memory.</summary>
    public required long GlobalWritten { get; init; }

    /// <summary>Sectors of 32 bytes touched, and how many would do if the same bytes lay side by side.</summary>
    public required long Sectors { get; init; }

    /// <summary>See <see cref="Sectors"/>.</summary>
    public required long SectorsNeeded { get; init; }

    /// <summary>Bytes that lanes read from shared memory.</summary>
    public required long SharedRead { get; init; }

    /// <summary>Bytes that lanes wrote to shared memory.</summary>
    public required long SharedWritten { get; init; }

    /// <summary>Times that the banks of shared memory were asked.</summary>
    public required long Wavefronts { get; init; }

    /// <summary>How many of them were for conflicts of banks.</summary>
    public required long BankConflicts { get; init; }

    /// <summary>Branches at which lanes of a warp parted.</summary>
    public required long Divergences { get; init; }

    /// <summary>Barriers, once for every warp that passed one.</summary>
    public required long Barriers { get; init; }

    /// <summary>Blocks of the grid.</summary>
    public required long Blocks { get; init; }

    /// <summary>Sectors that better order would have saved.</summary>
    [JsonIgnore]
    public long Uncoalesced => Sectors - SectorsNeeded;

    public static LaunchCounts Of(string kernel, Counters c) => new()
    {
        Kernel = kernel,
        Instructions = Enum.GetValues<InstructionClass>().Where(k => c.Warp[(int)k] > 0)
            .ToDictionary(k => k.ToString().ToLowerInvariant(), k => c.Warp[(int)k]),
        LaneInstructions = c.LaneInstructions,
        GlobalRead = c.GlobalRead, GlobalWritten = c.GlobalWritten,
        Sectors = c.Sectors, SectorsNeeded = c.SectorsNeeded,
        SharedRead = c.SharedRead, SharedWritten = c.SharedWritten,
        Wavefronts = c.Wavefronts, BankConflicts = c.BankConflicts, Divergences = c.Divergences, Barriers = c.Barriers,
        Blocks = c.Blocks,
    };

    /// <summary>One line; with the bytes and operations that the case cannot avoid, as much of them.</summary>
    public string Words(long? bytes = null, double? flops = null)
    {
        string N(double x) => x.ToString("#,0", CultureInfo.InvariantCulture);
        var moved = GlobalRead + GlobalWritten;
        var classes = Instructions.OrderByDescending(p => p.Value).Select(p => $"{p.Key} {N(p.Value)}");
        var warps = Instructions.Values.Sum();
        var parts = new List<string>
        {
            $"{N(warps)} instructions of warps ({string.Join(", ", classes)}), "
                + string.Create(CultureInfo.InvariantCulture, $"{LaneInstructions / Math.Max(1.0, warps):0.0} of 32 lanes"),
            $"{N(GlobalRead)} B read, {N(GlobalWritten)} B written"
                + (bytes is > 0 ? string.Create(CultureInfo.InvariantCulture,
                    $" = {moved / (double)bytes:0.00} of the {N(bytes.Value)} B predicted") : ""),
            $"{N(Sectors)} sectors, {N(Uncoalesced)} for want of order",
            $"shared memory {N(SharedRead)} B read, {N(SharedWritten)} B written, {N(Wavefronts)} wavefronts, "
                + $"{N(BankConflicts)} for conflicts",
        };
        if (Barriers > 0) parts.Add($"{N(Barriers)} barriers");
        if (Divergences > 0) parts.Add($"{N(Divergences)} branches part lanes");
        if (flops is > 0) parts.Add($"{N(flops.Value)} flops predicted");
        return string.Join("; ", parts);
    }
}
