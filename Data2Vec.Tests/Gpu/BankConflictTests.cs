using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// How often every hand-written kernel asks a bank of shared memory twice, on the catalogue's tiny cases and where whole warps
/// take its fast paths: never, unless it is stated here. That each kernel takes part is held by EmulatorParityTests.
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

    [TestCaseSource(nameof(Kernels))]
    public void Banks_are_asked_twice_no_more_often_than_stated(string kernel)
    {
        var (wavefronts, conflicts) = EmulatedCatalogue.OfOwnKernels.Counts.GetValueOrDefault(kernel);
        var (_, rate, reason) = Stated.SingleOrDefault(u => u.Kernel == kernel);
        Assert.That(
            conflicts, Is.LessThanOrEqualTo(rate * wavefronts), $"of {wavefronts} wavefronts: {reason ?? "none is stated"}");
        if (reason is not null) Assert.That(conflicts, Is.Positive, "it has none any more: take it off the list");
    }

    private static IEnumerable<string> Kernels => CudaKernelList.All.Select(k => k.ToString());
}
