import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CallerIdentity } from './auth/caller-identity.js';
import type { Identity } from './auth/roles.js';
import { Documented } from './documented.js';
import type { Me } from './schemas.js';

@ApiTags('access')
@Controller('api/v1/me')
export class MeController {
  @Get()
  @Documented({
    id: 'whoAmI',
    role: 'read',
    summary: 'The name and the role of whoever asks.',
    answers: { 200: { schema: 'Me', description: 'As decisions will name them.' } },
  })
  me(@CallerIdentity() { name, role, by }: Identity): Me {
    return { name, role, by };
  }
}
