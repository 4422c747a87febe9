using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void MatMul(in MatMulArgs a)
    {
        var job = new MatMulJob { Args = a, A = F(a.A), B = F(a.B), C = F(a.C), Scratch = scratch };
        var batch = checked((int)a.Batch.Count);
        if (batch == 1)
        {
            job.One(0, pool, shared.Floats(Gemm<T>.WorkspaceSize(a.M, a.N, a.K)));
            return;
        }
        // Many products: each is one chunk on one worker.
        pool.Run(ref job, batch);
    }

    private struct MatMulJob : IJob
    {
        public MatMulArgs Args;
        public float* A, B, C;
        public NativeScratch[] Scratch;

        public readonly void Execute(int chunk, int worker) =>
            One(chunk, null, Scratch[worker].Floats(Gemm<T>.WorkspaceSize(Args.M, Args.N, Args.K)));

        public readonly void One(int index, WorkerPool? pool, float* workspace)
        {
            long atA = 0, atB = 0, atC = 0, rest = index;
            for (var d = Args.Batch.Rank - 1; d >= 0; d--)
            {
                var i = rest % Args.Batch[d];
                rest /= Args.Batch[d];
                atA += i * Args.ABatch[d];
                atB += i * Args.BBatch[d];
                atC += i * Args.CBatch[d];
            }
            Gemm<T>.Run(pool, workspace, Args.M, Args.N, Args.K, (float)Args.Alpha,
                new GemmOperand((nint)(A + atA), Args.ARow, Args.AColumn),
                new GemmOperand((nint)(B + atB), Args.BRow, Args.BColumn),
                C + atC, Args.CRow, Args.Accumulate, default(NoEpilogue));
        }
    }
}
