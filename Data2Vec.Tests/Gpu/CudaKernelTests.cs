using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>Hand-written kernels on the emulator, call by call, against double precision on Reference.</summary>
public abstract class CudaKernelTests
{
    private static readonly ReferenceBackend Reference = new();

    /// <summary>The device under test.</summary>
    protected IBackend Device { get; private set; } = null!;

    [OneTimeSetUp]
    public void Open() => Device = CudaDevices.OpenEmulator();

    [OneTimeTearDown]
    public void Close() => Device.Dispose();

    /// <summary>Calls of one test.</summary>
    /// <param name="Written">What the first writes; the second reads it as the device under test kept it.</param>
    /// <param name="Forward">The first call.</param>
    /// <param name="Backward">The second, which writes everything else.</param>
    protected sealed record Calls(string[] Written, Action<IBackend> Forward, Action<IBackend>? Backward = null);

    /// <summary>Runs the calls on both and compares every result.</summary>
    /// <param name="make">Operands and calls.</param>
    /// <param name="bfloat16">Type under test; else float32.</param>
    /// <param name="offset">Elements before the first of every operand.</param>
    /// <param name="terms">Terms of the longest sum.</param>
    /// <param name="fromRounded">Results that are computed from numbers which the kernel rounds to the type first.</param>
    /// <param name="rounded">How large those numbers get.</param>
    protected void Compare(
        Func<RawOperands, Calls> make, bool bfloat16, int offset, int terms, string[]? fromRounded = null, double rounded = 0)
    {
        var type = bfloat16 ? DType.BFloat16 : DType.Float32;
        var actual = Results(Device, make, type, offset);
        foreach (var (name, values) in Results(Reference, make, DType.Float64, 0, actual))
        {
            var between = bfloat16 && fromRounded?.Contains(name) == true ? rounded * Math.ScaleB(1, -8) : 0;
            var largest = values.Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty().Max();
            // A rounding to the type, and float32 sums of so many terms.
            for (var i = 0; i < values.Length; i++)
            {
                var tolerance = between + (bfloat16 ? Math.Abs(values[i]) * Math.ScaleB(1, -8) : 0)
                    + (8 + Math.Sqrt(terms)) * Math.Max(largest, 1) * Math.ScaleB(1, -23);
                Assert.That(actual[name][i], Is.EqualTo(values[i]).Within(tolerance), $"{name}[{i}]");
            }
        }
    }

    /// <summary>Every result of the calls on a backend.</summary>
    /// <param name="backend">Where.</param>
    /// <param name="make">Operands and calls.</param>
    /// <param name="type">Of the operands.</param>
    /// <param name="offset">Elements before the first of every operand.</param>
    /// <param name="kept">What another backend kept of the forward call; backward starts from it.</param>
    protected static Dictionary<string, double[]> Results(
        IBackend backend, Func<RawOperands, Calls> make, DType type, int offset, Dictionary<string, double[]>? kept = null)
    {
        var operands = new RawOperands(backend, type, offset);
        var calls = make(operands);
        calls.Forward(backend);
        if (calls.Backward is null) return operands.Read();
        var results = operands.Read(calls.Written);
        // The rounding of what was kept would count twice otherwise.
        if (kept is not null) operands.Write(calls.Written, kept);
        calls.Backward(backend);
        foreach (var (name, values) in operands.Read()) results.TryAdd(name, values);
        return results;
    }
}
