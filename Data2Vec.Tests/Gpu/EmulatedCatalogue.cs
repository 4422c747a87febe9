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

    private static readonly Lazy<Outcome> Own = new(() => Run(
        driver => new CudaBackend(new CudaRuntime(driver)),
        type => [.. Tiny, .. WholeWarpCases.Of(type)]));

    private static readonly Lazy<Outcome> Ilgpu = new(() => Run(
        driver => new IlgpuBackend(new CudaRuntime(driver)), _ => Tiny));

    /// <summary>Of the backend with hand-written kernels.</summary>
    public static Outcome OfOwnKernels => Own.Value;

    /// <summary>Of ILGPU's kernels alone, in the PTX that its compiler writes.</summary>
    public static Outcome OfIlgpuKernels => Ilgpu.Value;

    private static Outcome Run(Func<EmulatedDriver, IBackend> open, Func<DType, IReadOnlyList<OpCase>> cases)
    {
        var driver = new EmulatedDriver();
        using var device = new Device("emulator", open(driver));
        using var oracle = Device.Parse("reference");
        Dictionary<string, (long Wavefronts, long Conflicts)> counts = [];
        driver.Launched = (kernel, c) =>
        {
            var name = CudaKernelList.Find($"{kernel.ModuleName} {kernel.Name}") is null
                ? kernel.ModuleName : $"{kernel.ModuleName} {kernel.Name}";
            var (wavefronts, conflicts) = counts.GetValueOrDefault(name);
            counts[name] = (wavefronts + c.Wavefronts, conflicts + c.BankConflicts);
        };
        List<(DType, string, Row)> rows = [];
        foreach (var type in new[] { DType.Float32, DType.BFloat16 })
        {
            var verifier = new Verifier(device, oracle, type);
            rows.AddRange(cases(type).Select(c => (type, c.Id, verifier.Verify(c))));
            if (type == DType.Float32)
                rows.AddRange(Bench.Cases.Catalogue.Errors.Select(e => (type, $"{e.Op} {e.Name}", verifier.Verify(e))));
        }
        return new Outcome(rows, counts);
    }

    /// <param name="Rows">What came of each case and refusal.</param>
    /// <param name="Counts">
    /// Of each kernel that took part how often shared memory was asked, and how often for conflicts of banks.
    /// </param>
    public sealed record Outcome(
        IReadOnlyList<(DType Type, string Id, Row Row)> Rows,
        IReadOnlyDictionary<string, (long Wavefronts, long Conflicts)> Counts);
}
