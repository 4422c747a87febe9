using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// The catalogue on the emulator, which also looks for reads of unwritten memory, races and barriers that not all reach: every
/// tiny case, every case of whole warps, each in every way that a device may run it, and every refusal, in both types. It runs
/// once, for all tests that look at what came of it.
/// </summary>
internal static class EmulatedCatalogue
{
    private static IReadOnlyList<OpCase> Tiny { get; } = [.. Bench.Cases.Catalogue.Cases.Where(c => c.Size == CaseSize.Tiny)];

    /// <summary>Both backends in both types, at once: a tiny case keeps no more than one processor busy.</summary>
    private static readonly Lazy<Outcome[]> Outcomes = new(() =>
    {
        var parts = new[] { true, false }.SelectMany(own => new[] { DType.Float32, DType.BFloat16 }.Select(type => (own, type)))
            .ToArray().AsParallel().AsOrdered().WithDegreeOfParallelism(4).Select(p => Run(p.own, p.type)).ToArray();
        return [parts[0].And(parts[1]), parts[2].And(parts[3])];
    });

    /// <summary>Of the backend with hand-written kernels.</summary>
    public static Outcome OfOwnKernels => Outcomes.Value[0];

    /// <summary>Of ILGPU's kernels alone, in the PTX that its compiler writes.</summary>
    public static Outcome OfIlgpuKernels => Outcomes.Value[1];

    private static Outcome Run(bool own, DType type)
    {
        var driver = new EmulatedDriver();
        var runtime = new CudaRuntime(driver);
        using var device = new Device("emulator", own ? new CudaBackend(runtime) : new IlgpuBackend(runtime));
        using var oracle = Device.Parse("reference");
        Dictionary<string, (long Wavefronts, long Conflicts)> counts = [];
        driver.Launched = (kernel, c) =>
        {
            var name = CudaKernelList.Find($"{kernel.ModuleName} {kernel.Name}") is null
                ? kernel.ModuleName : $"{kernel.ModuleName} {kernel.Name}";
            var (wavefronts, conflicts) = counts.GetValueOrDefault(name);
            counts[name] = (wavefronts + c.Wavefronts, conflicts + c.BankConflicts);
        };
        var verifier = new Verifier(device, oracle, type);
        List<(DType, string, Row)> rows = [.. Tiny.Concat(own ? WholeWarpCases.Of(type) : []).Select(c => (type, c.Id, verifier.Verify(c)))];
        if (type == DType.Float32)
            rows.AddRange(Bench.Cases.Catalogue.Errors.Select(e => (type, $"{e.Op} {e.Name}", verifier.Verify(e))));
        return new Outcome(rows, counts);
    }

    /// <param name="Rows">What came of each case and refusal.</param>
    /// <param name="Counts">
    /// Of each kernel that took part how often shared memory was asked, and how often for conflicts of banks.
    /// </param>
    public sealed record Outcome(
        IReadOnlyList<(DType Type, string Id, Row Row)> Rows,
        IReadOnlyDictionary<string, (long Wavefronts, long Conflicts)> Counts)
    {
        /// <summary>This and that of another type.</summary>
        public Outcome And(Outcome other) => new(
            [.. Rows, .. other.Rows],
            Counts.Concat(other.Counts).GroupBy(c => c.Key, c => c.Value)
                .ToDictionary(g => g.Key, g => (g.Sum(c => c.Wavefronts), g.Sum(c => c.Conflicts))));
    }
}
