using System.Text.Json;
using System.Text.Json.Serialization;

namespace Data2Vec.Bench.Running;

/// <summary>How a case ended.</summary>
internal enum Status
{
    Passed,
    Failed,
    Skipped,
}

/// <summary>One line of a report: printed, counted, and written with --json. Only what the verb measured is set.</summary>
internal sealed record Row(string Op, string Case, Status Status)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Why it failed or was skipped, or a remark.</summary>
    public string? Reason { get; init; }

    /// <summary>Worst error as a multiple of its tolerance.</summary>
    public double? Error { get; init; }

    /// <summary>The output with that error: "y", "dx", ...</summary>
    public string? Worst { get; init; }

    /// <summary>Smallest error that a wrong output (zeros; off by one row) would have, same multiple.</summary>
    public double? WrongError { get; init; }

    /// <summary>Derivatives compared with finite differences.</summary>
    public int? Derivatives { get; init; }

    /// <summary>Entries left out of that comparison because both slopes differ.</summary>
    public int? Kinks { get; init; }

    /// <summary>What a timed line measures: "forward", "forward+backward".</summary>
    public string? Pass { get; init; }

    /// <summary>Shortest run.</summary>
    public double? MinSeconds { get; init; }

    /// <summary>Median run.</summary>
    public double? MedianSeconds { get; init; }

    /// <summary>What the host needs to queue one run of a device with a queue.</summary>
    public double? HostSeconds { get; init; }

    /// <summary>Runs measured.</summary>
    public int? Runs { get; init; }

    /// <summary>Speed of the shortest run, in units of <see cref="Unit"/>.</summary>
    public double? Speed { get; init; }

    /// <summary>"GFLOP/s" or "GB/s".</summary>
    public string? Unit { get; init; }

    /// <summary>Per cent of the bound measured at the start.</summary>
    public double? PercentOfBound { get; init; }

    /// <summary>The fastest variant of the peer: shortest run, per call.</summary>
    public double? PeerSeconds { get; init; }

    /// <summary>Which that is: "sdpa flash".</summary>
    public string? PeerVariant { get; init; }

    /// <summary>All variants of the peer.</summary>
    public IReadOnlyList<SideBySide.PeerVariant>? PeerVariants { get; init; }

    /// <summary>The peer's time over ours: above 1, ours is faster.</summary>
    public double? Ratio { get; init; }

    /// <summary>What bytes and operations take at least.</summary>
    public double? FloorSeconds { get; init; }

    /// <summary>Per cent of our time that the floor is.</summary>
    public double? ShareOfFloor { get; init; }

    /// <summary>What a launch did on the emulator; the prediction is that of the whole pass.</summary>
    public LaunchCounts? Launch { get; init; }

    /// <summary>Bytes that the pass must move at least; 0 = not counted.</summary>
    public long? Bytes { get; init; }

    /// <summary>Floating-point operations of the pass; 0 = bound by memory.</summary>
    public double? Flops { get; init; }

    /// <summary>Managed bytes allocated per run.</summary>
    public long? AllocatedBytes { get; init; }

    /// <summary>
    /// Most bytes of device buffers in use at once, in MiB: rounded up to size classes, written to or not.
    /// </summary>
    public double? PeakBuffersMb { get; init; }

    /// <summary>
    /// Most physical memory of the process at once, in MiB; where the system cannot begin anew, since its start.
    /// </summary>
    public double? PeakRssMb { get; init; }

    public static void Write(string file, string verb, string device, IReadOnlyList<Row> rows)
    {
        using var stream = File.Create(file);
        JsonSerializer.Serialize(stream, new { verb, device, rows }, Format);
    }
}
