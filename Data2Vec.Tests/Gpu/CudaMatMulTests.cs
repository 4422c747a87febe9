using System.Runtime.InteropServices;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// What the catalogue of small cases cannot say about products: both sizes of tiles, cut sums, and each way an operand can lie,
/// on the emulator.
/// </summary>
public sealed class CudaMatMulTests
{
    private static readonly DType[] Types = [DType.Float32, DType.BFloat16];

    private CudaBackend device = null!;

    [OneTimeSetUp]
    public void Open() => device = EmulatedCuda.Open();

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [Test]
    public void Both_tiles_give_the_product_however_operands_lie_and_sums_are_cut(
        [ValueSource(nameof(Types))] DType type, [Values] bool leftTurned, [Values] bool rightTurned, [Values] bool large,
        [Values(1, 3)] int parts)
    {
        // More than one tile each way, rests of rows, columns and depth; whole units of 16 bytes.
        const int M = 136, N = 144, K = 104;
        var depth = 64 / type.Size();
        var length = (K + parts * depth - 1) / (parts * depth) * depth;
        var plan = new ProductPlan(large, (K + length - 1) / length, length);
        var (a, b) = (Numbers(M * K, 1), Numbers(N * K, 2));
        var args = Arguments(type, a, b, M, N, K, leftTurned, rightTurned, out var c);
        device.Multiply(type, CudaProducts.Matrices[(leftTurned ? 2 : 0) + (rightTurned ? 1 : 0)], ref args, plan);
        AssertProduct(type, a, b, c, M, N, K, leftTurned, rightTurned);
    }

    [Test]
    public void Odd_shapes_give_the_product(
        [ValueSource(nameof(Types))] DType type, [Values] bool leftTurned, [Values] bool rightTurned)
    {
        const int M = 67, N = 71, K = 37;
        var (a, b) = (Numbers(M * K, 1), Numbers(N * K, 2));
        var args = Arguments(type, a, b, M, N, K, leftTurned, rightTurned, out var c);
        device.Multiply(type, CudaProducts.AnyMatrices, ref args, new ProductPlan(false, 1, 64));
        AssertProduct(type, a, b, c, M, N, K, leftTurned, rightTurned);
    }

    [Test]
    public void Plans_cover_all_terms_and_fill_the_device_where_tiles_alone_would_not()
    {
        foreach (var (m, n, k) in new[] { (1, 1, 0), (5, 7, 19), (768, 768, 8192), (3072, 768, 25216), (8192, 2304, 768), (512, 10, 767988) })
        {
            var plan = ProductPlan.For(m, n, k, 1, DType.BFloat16, true);
            Assert.Multiple(() =>
            {
                Assert.That((long)plan.Parts * plan.PartLength, Is.GreaterThanOrEqualTo(k), $"{m} x {k} x {n}");
                Assert.That((plan.Parts - 1L) * plan.PartLength, Is.LessThan(Math.Max(1, k)), $"{m} x {k} x {n}");
                Assert.That(plan.PartLength % 32, Is.Zero);
            });
        }
        Assert.That(ProductPlan.For(768, 768, 8192, 1, DType.BFloat16, true).Parts, Is.GreaterThan(4));
        Assert.That(ProductPlan.For(8192, 2304, 768, 1, DType.BFloat16, true), Is.EqualTo(new ProductPlan(true, 1, 768)));
    }

    private CudaProductArgs<CudaMatrix, CudaMatrix> Arguments(
        DType type, float[] a, float[] b, int m, int n, int k, bool leftTurned, bool rightTurned, out BufferView c)
    {
        c = EmulatedCuda.Empty(device, type, m * n);
        var end = CudaBackend.MatrixEnd(c, m, n, false, 0.5f);
        end.Wide = n * type.Size() % 16 == 0 ? 1 : 0;
        return new()
        {
            Left = new()
            {
                Data = CudaBackend.Address(EmulatedCuda.Upload(device, type, a)), LineStep = leftTurned ? 1 : k,
                InnerStep = leftTurned ? m : 1,
            },
            Right = new()
            {
                Data = CudaBackend.Address(EmulatedCuda.Upload(device, type, b)), LineStep = rightTurned ? 1 : k,
                InnerStep = rightTurned ? n : 1,
            },
            End = end, Batch = CudaProductBatch.Of(1), M = m, N = n, K = k,
        };
    }

    /// <summary>Half the product in double, from the numbers as the type holds them.</summary>
    private void AssertProduct(
        DType type, float[] a, float[] b, BufferView c, int m, int n, int k, bool leftTurned, bool rightTurned)
    {
        var actual = EmulatedCuda.Download(device, c, m * n);
        var worst = 0.0;
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                double sum = 0, size = 0;
                for (var t = 0; t < k; t++)
                {
                    double x = a[leftTurned ? t * m + i : i * k + t], y = b[rightTurned ? t * n + j : j * k + t];
                    sum += x * y;
                    size += Math.Abs(x * y);
                }
                var tolerance = size * k * Math.ScaleB(1, -25) + (type == DType.BFloat16 ? Math.Abs(sum) * Math.ScaleB(1, -9) : 0) + 1e-30;
                worst = Math.Max(worst, Math.Abs(actual[i * n + j] - sum / 2) / tolerance);
            }
        }
        Assert.That(worst, Is.LessThanOrEqualTo(1));
    }

    /// <summary>Numbers that bfloat16 holds exactly, so that both types have the same product.</summary>
    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)new BFloat16Rounded(random.NextSingle() * 2 - 1).Value)];
    }

    private readonly struct BFloat16Rounded(float value)
    {
        public float Value { get; } = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) & unchecked((int)0xFFFF0000));
    }
}
