using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// NVIDIA's library for matrix products, for the plain ones (at most a bias): off unless DATA2VEC_CUBLASLT asks for it.
/// What it has no algorithm for is left to our kernels. How a product is done is asked for once and kept. Its calls are
/// tested against an imitation; the library itself has not been run, for want of a GPU.
/// </summary>
internal sealed unsafe class CublasLt : IDisposable
{
    private const long Workspace = 32L << 20;
    private const int MostAlignment = 256;

    private readonly CublasLtApi api;
    private readonly ICudaDriver driver;
    private readonly Dictionary<PlanKey, Plan?> plans = [];
    private readonly nint handle;
    private readonly ulong workspace;

    /// <param name="api">The library.</param>
    /// <param name="driver">Whose device and stream are used; its context must be current.</param>
    public CublasLt(CublasLtApi api, ICudaDriver driver)
    {
        (this.api, this.driver) = (api, driver);
        nint made;
        Try(api.Create(&made), "cublasLtCreate");
        handle = made;
        workspace = driver.Allocate(Workspace);
    }

    /// <summary>"cuBLASLt 120405": as the library numbers its versions.</summary>
    public string Name => $"cuBLASLt {api.Version()}";

    /// <summary>Products that it has done.</summary>
    public long Products { get; private set; }

    /// <summary>Queues a product; false when it has no algorithm for it.</summary>
    /// <param name="product">What to compute.</param>
    /// <param name="tensorFloat32">Float32 operands may be rounded to tf32.</param>
    /// <exception cref="CudaException">The library refuses for another reason.</exception>
    public bool TryMultiply(in ColumnProduct product, bool tensorFloat32)
    {
        var key = PlanKey.Of(product, tensorFloat32 && product.Type == DType.Float32);
        if (!plans.TryGetValue(key, out var plan)) plans[key] = plan = Make(key);
        if (plan is null) return false;
        var (alpha, beta) = (product.Alpha, product.Accumulate ? 1f : 0f);
        if (product.Bias != 0)
        {
            var bias = product.Bias;
            Set(api.DescSet, plan.Description, CublasLtApi.BiasPointer, bias);
        }
        fixed (CublasLtChoice* choice = &plan.Choice)
        {
            Try(api.Multiply(handle, plan.Description, &alpha, product.First.Data, plan.First, product.Second.Data,
                plan.Second, &beta, product.Result.Data, plan.Result, product.Result.Data, plan.Result, choice,
                workspace, plan.Choice.WorkspaceBytes, driver.Stream), "cublasLtMatmul");
        }
        Products++;
        return true;
    }

    public void Dispose()
    {
        foreach (var plan in plans.Values) Release(plan);
        if (workspace != 0) driver.Free(workspace);
        api.Destroy(handle);
    }

    /// <summary>Describes a product and asks for the best algorithm; null when there is none.</summary>
    private Plan? Make(PlanKey key)
    {
        var plan = new Plan();
        var isKept = false;
        try
        {
            var p = key.Shape;
            var type = p.Type == DType.BFloat16 ? CublasLtApi.RealBrain16 : CublasLtApi.Real32;
            nint made;
            Try(api.DescCreate(&made, key.TensorFloat32 ? CublasLtApi.ComputeTensorFloat32 : CublasLtApi.Compute32,
                CublasLtApi.Real32), "cublasLtMatmulDescCreate");
            plan.Description = made;
            Set(api.DescSet, made, CublasLtApi.TransposeFirst, p.First.IsTransposed ? 1 : 0);
            Set(api.DescSet, made, CublasLtApi.TransposeSecond, p.Second.IsTransposed ? 1 : 0);
            if (key.BiasAlignment != 0)
            {
                Set(api.DescSet, made, CublasLtApi.Epilogue, CublasLtApi.EpilogueBias);
                // Only its alignment is looked at while algorithms are compared.
                Set(api.DescSet, made, CublasLtApi.BiasPointer, (ulong)key.BiasAlignment);
            }
            plan.First = Layout(type, p.First, p.Count);
            plan.Second = Layout(type, p.Second, p.Count);
            plan.Result = Layout(type, p.Result, p.Count);
            isKept = Choose(key, plan);
            return isKept ? plan : null;
        }
        finally
        {
            if (!isKept) Release(plan);
        }
    }

    private bool Choose(PlanKey key, Plan plan)
    {
        nint preference;
        Try(api.PreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
        try
        {
            Set(api.PreferenceSet, preference, CublasLtApi.WorkspaceBytes, workspace == 0 ? 0UL : (ulong)Workspace);
            int[] alignments = [key.FirstAlignment, key.SecondAlignment, key.ResultAlignment, key.ResultAlignment];
            for (var i = 0; i < alignments.Length; i++)
                Set(api.PreferenceSet, preference, CublasLtApi.AlignmentFirst + i, alignments[i]);
            var found = 0;
            fixed (CublasLtChoice* choice = &plan.Choice)
            {
                var status = api.Heuristic(handle, plan.Description, plan.First, plan.Second, plan.Result, plan.Result,
                    preference, 1, choice, &found);
                if (status == CublasLtApi.NotSupported) return false;
                Try(status, "cublasLtMatmulAlgoGetHeuristic");
            }
            return found > 0 && plan.Choice.Status == 0;
        }
        finally
        {
            api.PreferenceDestroy(preference);
        }
    }

    private nint Layout(int type, in ColumnMatrix m, int count)
    {
        nint made;
        Try(api.LayoutCreate(&made, type, (ulong)m.Rows, (ulong)m.Columns, m.Leading), "cublasLtMatrixLayoutCreate");
        Set(api.LayoutSet, made, CublasLtApi.BatchCount, count);
        Set(api.LayoutSet, made, CublasLtApi.BatchStep, m.Step);
        return made;
    }

    private void Set<T>(delegate* unmanaged<nint, int, void*, nuint, int> set, nint target, int attribute, T value)
        where T : unmanaged => Try(set(target, attribute, &value, (nuint)sizeof(T)), $"setting attribute {attribute}");

    private void Release(Plan? plan)
    {
        if (plan is null) return;
        if (plan.Description != 0) api.DescDestroy(plan.Description);
        foreach (var layout in new[] { plan.First, plan.Second, plan.Result })
            if (layout != 0) api.LayoutDestroy(layout);
    }

    private void Try(int status, string call)
    {
        if (status == 0) return;
        throw new CudaException(
            $"cuBLASLt: {call} failed with {Marshal.PtrToStringUTF8(api.StatusName(status)) ?? $"status {status}"}.");
    }

    /// <summary>
    /// What an algorithm is chosen by: everything but the addresses, of which the alignment alone counts.
    /// </summary>
    private readonly record struct PlanKey(ColumnProduct Shape, bool TensorFloat32, int FirstAlignment,
        int SecondAlignment, int ResultAlignment, int BiasAlignment)
    {
        public static PlanKey Of(in ColumnProduct p, bool tensorFloat32) => new(
            p with
            {
                First = p.First with { Data = 0 }, Second = p.Second with { Data = 0 },
                Result = p.Result with { Data = 0 }, Alpha = 0, Accumulate = false, Bias = 0,
            },
            tensorFloat32, Alignment(p.First.Data), Alignment(p.Second.Data), Alignment(p.Result.Data),
            p.Bias == 0 ? 0 : Alignment(p.Bias));

        private static int Alignment(ulong address) => (int)Math.Min(address & (0 - address), MostAlignment);
    }

    private sealed class Plan
    {
        public nint Description, First, Second, Result;
        public CublasLtChoice Choice;
    }
}
