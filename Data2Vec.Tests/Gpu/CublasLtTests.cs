using System.Runtime.InteropServices;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Emulator;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>Products that go to cuBLASLt, here to an imitation of it, come to what our kernels come to.</summary>
public sealed class CublasLtTests
{
    [TearDown]
    public void Forget() => (CublasLtImitation.Driver, CublasLtImitation.Answer) = (null, 0);

    [Test]
    public void Products_and_layers_agree_with_the_oracle([Values(DType.Float32, DType.BFloat16)] DType type)
    {
        using var oracle = Device.Parse("reference");
        using (var device = Open(out var library))
        {
            Assert.That(device.ToString(), Does.EndWith(", products by cuBLASLt 120405"));
            foreach (var op in new[] { "MatMul", "Linear" })
            {
                var before = library.Products;
                var cases = Bench.Cases.Catalogue.Cases.Where(c => c.Size == CaseSize.Tiny
                    && c.Id.StartsWith(op, StringComparison.Ordinal)).ToArray();
                Assert.That(cases, Has.Length.GreaterThan(5));
                foreach (var c in cases)
                {
                    var row = new Verifier(device, oracle, type).Verify(c);
                    Assert.That(row.Status, Is.Not.EqualTo(Status.Failed), $"{c.Id}: {row.Reason}");
                }
                Assert.That(library.Products - before, Is.GreaterThan(cases.Length / 2), $"{op} by the library");
            }
        }
        Assert.That(CublasLtImitation.Living, Is.Zero, "descriptions that were not destroyed");
    }

    [Test]
    public void An_algorithm_is_looked_for_once_for_each_shape_type_and_alignment()
    {
        using var device = Open(out var library);
        var before = CublasLtImitation.Searches;
        int Searched() => CublasLtImitation.Searches - before;
        Multiply(device, 5);
        Multiply(device, 5);
        Assert.That((Searched(), library.Products), Is.EqualTo((1, 2L)));
        Multiply(device, 6);
        Assert.That((Searched(), library.Products), Is.EqualTo((2, 3L)));
        Multiply(device, 5, offset: 1);
        Assert.That((Searched(), library.Products), Is.EqualTo((3, 4L)));
    }

    [Test]
    public void What_it_has_no_algorithm_for_is_left_to_our_kernels()
    {
        using var device = Open(out var library);
        CublasLtImitation.Answer = 15;
        Assert.That(Multiply(device, 5), Is.EqualTo(Enumerable.Repeat(5f, 4)));
        Multiply(device, 5);
        Assert.That(library.Products, Is.Zero);
        Assert.That(CublasLtImitation.Living, Is.EqualTo(1), "the handle alone");
    }

    [Test]
    public void A_failure_is_a_sentence()
    {
        using var device = Open(out _);
        CublasLtImitation.Answer = 14;
        Assert.That(() => Multiply(device, 5), Throws.TypeOf<CudaException>().With.Message.EqualTo(
            "cuBLASLt: cublasLtMatmulAlgoGetHeuristic failed with CUBLAS_STATUS_INTERNAL_ERROR."));
    }

    [Test]
    public void Who_asks_for_it_where_it_is_not_is_told_what_was_tried()
    {
        Assert.That(CublasLtApi.Asked(null), Is.Null);
        Assert.That(CublasLtApi.Asked("off"), Is.Null);
        Assert.That(() => CublasLtApi.Asked("/none/libcublasLt.so"), Throws.TypeOf<NotSupportedException>()
            .With.Message.StartsWith(
                "DATA2VEC_CUBLASLT=/none/libcublasLt.so asks for cuBLASLt, which cannot be loaded (")
            .And.Message.Contains("No such file"));
    }

    private static Device Open(out CublasLt library)
    {
        var driver = new EmulatedDriver();
        CublasLtImitation.Driver = driver;
        library = new CublasLt(CublasLtImitation.Api, driver);
        return new Device("emulator", new CudaBackend(new CudaRuntime(driver), library));
    }

    /// <summary>Ones by ones: each number of the product is the length of the sums.</summary>
    private static float[] Multiply(Device device, int inner, int offset = 0)
    {
        var backend = device.Backend;
        var (a, b) = (Memory(backend, 2 * inner, offset), Memory(backend, 2 * inner, offset));
        var c = Memory(backend, 4, offset);
        try
        {
            backend.MatMul(new MatMulArgs
            {
                A = a, B = b, C = c, M = 2, N = 2, K = inner, ARow = inner, AColumn = 1, BRow = 2, BColumn = 1,
                CRow = 2, Batch = new Shape(), Alpha = 1,
            });
            var result = new float[4];
            backend.Download(c, MemoryMarshal.AsBytes(result.AsSpan()));
            return result;
        }
        finally
        {
            foreach (var view in new[] { a, b, c }) backend.Free(view.Buffer!);
        }
    }

    private static BufferView Memory(IBackend backend, int count, int offset)
    {
        var view = new BufferView(backend.Allocate((count + offset) * sizeof(float)), offset, DType.Float32);
        var ones = Enumerable.Repeat(1f, count).ToArray();
        backend.Upload(MemoryMarshal.AsBytes(ones.AsSpan()), view);
        return view;
    }
}
