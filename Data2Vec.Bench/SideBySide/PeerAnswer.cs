using System.Text.Json;

namespace Data2Vec.Bench.SideBySide;

/// <summary>What a peer's script wrote; its head says in which words.</summary>
/// <param name="Version">Of the protocol.</param>
/// <param name="Peer">"PyTorch 2.11".</param>
/// <param name="Device">What it ran on, as it calls it.</param>
/// <param name="Bounds">What it found the device to do at best.</param>
/// <param name="Results">One for each case and pass.</param>
internal sealed record PeerAnswer(
    int Version, string Peer, string Device, PeerBounds Bounds, IReadOnlyList<PeerResult> Results)
{
    public const int Spoken = 1;

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <exception cref="UsageException">It is not what was agreed.</exception>
    public static PeerAnswer Read(string json, string from)
    {
        PeerAnswer answer;
        try
        {
            answer = JsonSerializer.Deserialize<PeerAnswer>(json, Format) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new UsageException($"What {from} wrote is no answer of a peer: {e.Message}");
        }
        return answer.Version == Spoken ? answer
            : throw new UsageException($"{from} speaks version {answer.Version} of the protocol; expected {Spoken}.");
    }

    /// <summary>What there is of a case and pass.</summary>
    public PeerResult? Of(string id, string? pass) => Results.FirstOrDefault(r => r.Id == id && r.Pass == pass);
}

/// <summary>A copy and products of each type, by the peer.</summary>
/// <param name="CopyGigabytes">GB/s, read and written.</param>
/// <param name="Gigaflops">GFLOP/s by type.</param>
internal sealed record PeerBounds(double CopyGigabytes, IReadOnlyDictionary<string, double> Gigaflops);

/// <summary>A case and pass, in every way that the peer has.</summary>
internal sealed record PeerResult(string Id, string Pass, IReadOnlyList<PeerVariant> Variants)
{
    /// <summary>The fastest that ran.</summary>
    public PeerVariant? Best => Variants.Where(v => v.MinSeconds is > 0).MinBy(v => v.MinSeconds);
}

/// <summary>A way to do it: times, or why there are none.</summary>
/// <param name="Variant">"eager", "sdpa flash", "compile", ...</param>
internal sealed record PeerVariant(string Variant)
{
    public double? MinSeconds { get; init; }

    public double? MedianSeconds { get; init; }

    public int? Runs { get; init; }

    public string? Error { get; init; }
}
