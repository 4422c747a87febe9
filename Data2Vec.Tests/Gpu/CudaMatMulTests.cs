using Data2Vec.Bench.Running;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// What the catalogue of small cases cannot say about products on the emulator: both sizes of tiles, cut sums and each
/// way an operand can lie, and that the banks of shared memory are never asked twice.
/// </summary>
public sealed class CudaMatMulTests
{
    // More than one large tile each way, rests of rows, columns and depth; whole units of 16 bytes.
    private const int M = 136, N = 144, K = 104;

    private EmulatedCuda cuda = null!;
    private double[] expected = null!;

    public enum Kind
    {
        Brain,
        Full,
        TensorFloat,
    }

    /// <summary>Which operands begin at a multiple of 16 bytes.</summary>
    public enum Lie
    {
        Even,
        SumsAnywhere,
        Anywhere,
    }

    [OneTimeSetUp]
    public void Open()
    {
        cuda = new EmulatedCuda();
        using var reference = new ReferenceBackend();
        var operands = new RawOperands(reference, DType.Float64);
        var (a, b) = (operands.Random(M * K), operands.Random(N * K));
        reference.MatMul(new MatMulArgs
        {
            A = a, B = b, C = operands.Output("c", M * N), M = M, N = N, K = K, ARow = K, AColumn = 1, BRow = 1,
            BColumn = K,
            CRow = N, Alpha = 0.5,
        });
        expected = operands.Read()["c"];
    }

    [OneTimeTearDown]
    public void Close() => cuda.Dispose();

    [Test]
    public void Both_tiles_give_the_product_however_operands_lie_and_sums_are_cut(
        [Values] Kind kind, [Values] bool leftTurned, [Values] bool rightTurned, [Values] bool large,
        [Values(1, 3)] int parts)
    {
        double[] c = [];
        cuda.Device.TensorFloat32 = kind == Kind.TensorFloat;
        cuda.Device.Plan = Plans.Cut(large, parts);
        var (_, conflicts) = cuda.Watch(() => c = Product(kind, leftTurned, rightTurned));
        cuda.Device.Plan = ProductPlan.For;
        AssertProduct(c, kind);
        Assert.That(conflicts, Is.Zero, "conflicts of banks");
    }

    [Test]
    public void Operands_that_begin_anywhere_give_the_product(
        [Values(Kind.Brain, Kind.Full)] Kind kind, [Values] bool leftTurned, [Values] bool rightTurned)
    {
        cuda.Device.TensorFloat32 = false;
        AssertProduct(Product(kind, leftTurned, rightTurned, offset: 1), kind);
    }

    [Test]
    public void The_gradient_of_a_layer_is_multiplied_by_the_slopes_of_the_activation_before_it(
        [Values] Kind kind, [Values(Activation.Gelu, Activation.GeluTanh)] Activation activation, [Values] bool large,
        [Values(1, 3)] int parts, [Values] Lie lie)
    {
        using var reference = new ReferenceBackend();
        var right = BeforeActivation(reference, DType.Float64, activation, lie);
        double[] dx = [];
        cuda.Device.TensorFloat32 = kind == Kind.TensorFloat;
        cuda.Device.Plan = Plans.Cut(large, parts);
        var (kernels, conflicts) = cuda.Watch(() => dx = BeforeActivation(
            cuda.Device, kind == Kind.Brain ? DType.BFloat16 : DType.Float32, activation, lie));
        cuda.Device.Plan = ProductPlan.For;
        string[] names = [lie == Lie.Anywhere ? "matmul_slopes_any" : large ? "matmul_slopes_128" : "matmul_slopes_64"];
        Assert.That(kernels, Is.EquivalentTo(parts == 1 ? names : [.. names, "matmul_slopes_parts"]));
        Assert.That(conflicts, Is.Zero, "conflicts of banks");
        // What tf32 rounds is bfloat16 here: nothing. Slopes are at most 1.13; those of bfloat16 are right to 2^-14.
        var largest = right.Max(Math.Abs);
        var sums = 2 * largest * (K * Math.ScaleB(1, -24) + (kind == Kind.Brain ? Math.ScaleB(1, -14) : 0));
        for (var i = 0; i < dx.Length; i++)
        {
            var rounding = kind == Kind.Brain ? Math.Abs(right[i]) * Math.ScaleB(1, -8) : 0;
            Assert.That(dx[i], Is.EqualTo(right[i]).Within(rounding + sums), $"dx[{i}]");
        }
    }

    [Test]
    public void Plans_have_every_term_once_and_fill_the_device_where_tiles_alone_would_not()
    {
        (int, int, int)[] shapes =
            [(1, 1, 0), (5, 7, 19), (768, 768, 8192), (3072, 768, 25216), (512, 10, 767988)];
        foreach (var (m, n, k) in shapes)
        {
            var plan = ProductPlan.For(m, n, k, 1, DType.BFloat16, true);
            Assert.That((long)plan.Parts * plan.PartLength, Is.GreaterThanOrEqualTo(k), $"{m} x {k} x {n}");
            Assert.That((plan.Parts - 1L) * plan.PartLength, Is.LessThan(Math.Max(1, k)), $"{m} x {k} x {n}");
            Assert.That(plan.PartLength % 32, Is.Zero, $"{m} x {k} x {n}");
        }
        Assert.That(ProductPlan.For(768, 768, 8192, 1, DType.BFloat16, true).Parts, Is.GreaterThan(2));
        var whole = ProductPlan.For(8192, 2304, 768, 1, DType.BFloat16, true);
        Assert.That(whole, Is.EqualTo(new ProductPlan(true, 1, 768)));
    }

    /// <summary>dx of a layer whose input was an activation, with the activation.</summary>
    private static double[] BeforeActivation(IBackend backend, DType type, Activation activation, Lie lie)
    {
        var operands = new RawOperands(backend, type, lie == Lie.Anywhere ? 1 : 0);
        var args = new LinearBackwardArgs
        {
            DY = operands.Random(M * K), W = operands.Random(K * N),
            // One number more where the sums alone are to begin anywhere.
            InputPreActivation = operands.Random(M * N + 1).At(lie == Lie.SumsAnywhere ? 1 : 0), InputActivation = activation,
            DX = operands.Output("dx", M * N), Rows = M, In = N, Out = K,
        };
        args.Check();
        backend.LinearBackward(args);
        return operands.Read()["dx"];
    }

    private double[] Product(Kind kind, bool leftTurned, bool rightTurned, int offset = 0)
    {
        var operands = new RawOperands(cuda.Device, kind == Kind.Brain ? DType.BFloat16 : DType.Float32, offset);
        var (a, b) = (operands.Random(M * K, K, leftTurned), operands.Random(N * K, K, rightTurned));
        cuda.Device.MatMul(new MatMulArgs
        {
            A = a, B = b, C = operands.Output("c", M * N), M = M, N = N, K = K, ARow = leftTurned ? 1 : K,
            AColumn = leftTurned ? M : 1, BRow = rightTurned ? N : 1, BColumn = rightTurned ? 1 : K, CRow = N,
            Alpha = 0.5,
        });
        return operands.Read()["c"];
    }

    /// <summary>
    /// Rounded once to the type, sums in float32. tf32 rounds both operands of a term, at most 2 here with its half, to
    /// 2^-11; errors of terms add up as a walk (and 4 as everywhere).
    /// </summary>
    private void AssertProduct(double[] actual, Kind kind)
    {
        var largest = expected.Max(Math.Abs);
        for (var i = 0; i < actual.Length; i++)
        {
            var rounding = kind == Kind.Brain ? Math.Abs(expected[i]) * Math.ScaleB(1, -8) : 0;
            var sums = kind == Kind.TensorFloat
                ? 4 * Math.Sqrt(K) * 2 * Math.ScaleB(1, -10) : K * largest * Math.ScaleB(1, -24);
            Assert.That(actual[i], Is.EqualTo(expected[i]).Within(rounding + sums), $"c[{i}]");
        }
    }
}
