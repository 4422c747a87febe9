using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// How often every hand-written kernel asks a bank of shared memory twice, on the catalogue's tiny cases and where whole warps
/// take its fast paths: never, unless it is stated here. A kernel that no case launches fails too.
/// </summary>
public sealed class BankConflictTests
{
    /// <summary>
    /// Kernels that have some, with the most of them for each time that shared memory is asked. All others have none.
    /// </summary>
    private static readonly (string Kernel, double Rate, string Reason)[] Stated =
    [
        ("attention.bf16 attention_fwd_d80", 0.155, RowsOfTen),
        ("attention.bf16 attention_bwd_query_d80", 0.15, RowsOfTen),
        ("attention.bf16 attention_bwd_key_d80", 0.115, RowsOfTen),
        ("attention.bf16 attention_bwd_bias_d80", 0.19, RowsOfTen),
    ];

    private const string RowsOfTen =
        "rows of ten units lie eleven apart for ldmatrix: of five copies of eight units three go on in the next row, "
        + "a unit further, where the last meets the bank of the first";

    /// <summary>Works on integers alone: every type launches the one of float32.</summary>
    private const string OfNoType = "smooth_l1.bf16 smooth_l1_bwd_owners";

    private readonly Dictionary<string, (long Wavefronts, long Conflicts)> counts = [];

    [OneTimeSetUp]
    public void Count()
    {
        using var device = Device.Parse("emulator");
        var backend = (CudaBackend)device.Backend;
        var driver = (EmulatedDriver)backend.Driver;
        driver.Launched = (kernel, c) =>
        {
            var name = $"{kernel.ModuleName} {kernel.Name}";
            var (wavefronts, conflicts) = counts.GetValueOrDefault(name);
            counts[name] = (wavefronts + c.Wavefronts, conflicts + c.BankConflicts);
        };
        foreach (var type in new[] { DType.Float32, DType.BFloat16 })
        {
            Run(device, type, Bench.Cases.Catalogue.Cases.Where(c => c.Size == CaseSize.Tiny
                && (type == DType.Float32 || c.RunRaw is null)));
            Run(device, type, WholeWarpCases.Rows);
            foreach (var large in new[] { false, true })
            {
                backend.Plan = Plans.Cut(large, large ? 1 : 2);
                Run(device, type, [.. WholeWarpCases.Products, .. WholeWarpCases.Convolutions]);
            }
            backend.Plan = ProductPlan.For;
        }
        backend.TensorFloat32 = true;
        foreach (var large in new[] { false, true })
        {
            backend.Plan = Plans.Cut(large, large ? 1 : 2);
            Run(device, DType.Float32, WholeWarpCases.Products);
        }
        foreach (var heads in new[] { 0, int.MaxValue })
        {
            backend.FewestResidentHeads = heads;
            Run(device, DType.BFloat16, WholeWarpCases.Attention);
        }
    }

    [Test]
    public void Every_kernel_is_looked_at() =>
        Assert.That(Kernels.Except(counts.Keys), Is.EqualTo(new[] { OfNoType }));

    [TestCaseSource(nameof(Kernels))]
    public void Banks_are_asked_twice_no_more_often_than_stated(string kernel)
    {
        var (wavefronts, conflicts) = counts.GetValueOrDefault(kernel);
        var (_, rate, reason) = Stated.SingleOrDefault(u => u.Kernel == kernel);
        Assert.That(
            conflicts, Is.LessThanOrEqualTo(rate * wavefronts), $"of {wavefronts} wavefronts: {reason ?? "none is stated"}");
        if (reason is not null) Assert.That(conflicts, Is.Positive, "it has none any more: take it off the list");
    }

    private static IEnumerable<string> Kernels => CudaKernelList.All.Select(k => k.ToString());

    private static void Run(Device device, DType type, IEnumerable<OpCase> cases)
    {
        foreach (var c in cases)
        {
            using var run = new CaseRun(c, device, type);
            if (run.HasBackward) run.LaunchForwardAndBackward();
            else run.LaunchForward();
        }
    }
}
